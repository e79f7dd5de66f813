#include "proxy/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/net/listen.h"
#include "proxy/net/socket_address.h"

/* What lasts is told again, as whoever looks at the log may have come late. */
#define EXHAUSTION_TOLD_MS (10 * 60 * 1000)

struct door {
    struct door *next;
    struct listeners *listeners;
    const struct listener_settings *settings;
    struct listen *listen;
};

struct listeners {
    const struct shared *shared;
    struct session_host *host;
    uint64_t exhaustion_told_ms; /* 0: never */
    struct door *doors;          /* owned */
};

struct listeners *listeners_new(const struct shared *shared,
                                struct session_host *host)
{
    struct listeners *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->shared = shared;
    l->host = host;
    return l;
}

static void warn(const struct shared *shared, const char *words)
{
    server_log_write(shared->opened->log, SERVER_WARNING, "%s", words);
}

static void count_full(const struct door *door, struct str cap)
{
    const struct session_host *host = door->listeners->host;
    METRICS_ADD_SERIES(host->metrics, SERIES_CAPS, loop_wall_us(host->loop),
                       cap);
}

static void warn_of_full_net(const struct shared *shared)
{
    warn(shared, "caps.connections_per_net reached: clients of a network are "
                 "turned away");
}

bool listeners_admit(const struct shared *shared, const struct ip *client)
{
    if (connection_counts_name(shared->connections, client) == CONNECTION_TAKEN)
        return true;
    warn_of_full_net(shared);
    return false;
}

/* A client too many: told so where clear text is understood. */
static void turn_away(const struct door *door, int fd, const char *why)
{
    char reply[128];
    int n =
        snprintf(reply, sizeof reply, "421 4.3.2 %s, try again later\r\n", why);
    ssize_t sent = 0;
    if (door->settings->tls != LISTENER_IMPLICIT && n > 0)
        sent = write(fd, reply, (size_t)n);
    (void)sent; /* it is closed either way */
    close(fd);
}

/* -1 when the client has gone already. */
static int client_of(int fd, struct ip *client)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[SOCKET_ADDRESS_TEXT];
    if (getpeername(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    socket_address_text(&address, text);
    return ip_parse(str_from(text), client);
}

static void on_accept(void *owner, int fd)
{
    struct door *door = owner;
    const struct shared *shared = door->listeners->shared;
    struct ip peer;
    if (client_of(fd, &peer) != 0) {
        close(fd);
        return;
    }
    bool is_balancer = listener_is_balanced(door->settings, &peer);
    const struct ip *client = is_balancer ? NULL : &peer;
    switch (connection_counts_take(shared->connections, client)) {
    case CONNECTION_TAKEN:
        if (session_start(door->listeners->host, door->settings, fd) == NULL)
            connection_counts_give(shared->connections, client);
        break;
    case CONNECTION_FULL:
        count_full(door, STR("caps.connections"));
        turn_away(door, fd, "Too many connections");
        warn(shared, "caps.connections reached: clients are turned away");
        break;
    case CONNECTION_NET_FULL:
        count_full(door, STR("caps.connections_per_net"));
        turn_away(door, fd, "Too many connections from your network");
        warn_of_full_net(shared);
        break;
    }
}

static void tell_of_exhaustion(struct listeners *l, int error)
{
    uint64_t now_ms = loop_now_ms(l->host->loop);
    if (l->exhaustion_told_ms != 0 &&
        now_ms - l->exhaustion_told_ms < EXHAUSTION_TOLD_MS)
        return;
    l->exhaustion_told_ms = now_ms;
    server_log_write(l->shared->opened->log, SERVER_ERROR,
                     "%s: clients wait or are turned away%s",
                     strerrordesc_np(error),
                     error != EMFILE ? ""
                                     : "; raise LimitNOFILE of the service "
                                       "(ulimit -n)");
}

static void on_exhausted(void *owner, int fd, int error)
{
    struct door *door = owner;
    if (fd >= 0)
        turn_away(door, fd, "Out of resources");
    tell_of_exhaustion(door->listeners, error);
}

static const struct listen_events listen_events = {
    .on_accept = on_accept,
    .on_exhausted = on_exhausted,
};

static int open_port(struct listeners *l,
                     const struct listener_settings *settings, int socket)
{
    struct door *door = calloc(1, sizeof *door);
    if (door == NULL) {
        close(socket);
        return -1;
    }
    *door =
        (struct door){.next = l->doors, .listeners = l, .settings = settings};
    l->doors = door;
    door->listen = listen_adopt(l->host->loop, socket, &listen_events, door);
    return door->listen == NULL ? -1 : 0;
}

static int open_address(struct listeners *l,
                        const struct listener_settings *settings,
                        struct str address, const struct listeners_share *share)
{
    int result = 0;
    int sockets[PORT_SOCKETS_MAX];
    size_t count = ports_take(share->ports, address, share->number,
                              share->threads, sockets, PORT_SOCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        if (open_port(l, settings, sockets[i]) != 0)
            result = -1;
    return result;
}

int listeners_open(struct listeners *listeners,
                   const struct listeners_share *share)
{
    int result = 0;
    const struct settings *settings = listeners->shared->settings;
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++)
            if (open_address(listeners, listener, listener->addresses[j].text,
                             share) != 0)
                result = -1;
    }
    return result;
}

void listeners_close(struct listeners *listeners)
{
    while (listeners->doors != NULL) {
        struct door *door = listeners->doors;
        listeners->doors = door->next;
        listen_close(door->listen);
        free(door);
    }
}

void listeners_free(struct listeners *listeners)
{
    if (listeners == NULL)
        return;
    listeners_close(listeners);
    free(listeners);
}
