/* accept4() under uv_poll_t, because libuv would wrap each connection in a
 * handle of this loop, and what the owner wants is the socket. */
#include "proxy/net/listen.h"

#include "proxy/net/loop_internal.h"
#include "proxy/net/socket_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG 1024   /* the kernel caps it at net.core.somaxconn */
#define ACCEPTS_MAX 64 /* a turn, so that sessions get theirs */
#define REST_MS 250

struct listen {
    struct loop *loop;
    uv_poll_t poll;
    uv_timer_t rest;
    unsigned open_handles;
    int fd;      /* -1: closed */
    int reserve; /* a descriptor to give up when there are no others */
    const struct listen_events *events;
    void *owner;
};

static void say(char *error, size_t room, struct str host, uint16_t port,
                int number)
{
    bool is_v6 = str_index(host, ':') >= 0;
    snprintf(error, room, "%s%.*s%s:%u: %s", is_v6 ? "[" : "",
             (int)(host.n < 256 ? host.n : 256), host.p, is_v6 ? "]" : "",
             (unsigned)port, uv_strerror(-number));
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static int bind_to(int fd, const struct sockaddr_storage *address,
                   bool is_shared)
{
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 ||
        (is_shared && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0))
        return -1;
    if (address->ss_family == AF_INET6 &&
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) != 0)
        return -1;
    return bind(fd, (const struct sockaddr *)address,
                socket_address_size(address));
}

/* The socket; or -1, with errno set. */
static int open_address(struct str host, uint16_t port, bool is_shared)
{
    const int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    struct sockaddr_storage address;
    if (socket_address_parse(&address, host, port) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = socket(address.ss_family, kind, 0);
    /* "All addresses" on a machine without IPv6 is all of IPv4. */
    if (fd < 0 && errno == EAFNOSUPPORT && str_equals(host, STR("::"))) {
        socket_address_parse(&address, STR("0.0.0.0"), port);
        fd = socket(address.ss_family, kind, 0);
    }
    if (fd < 0 || bind_to(fd, &address, is_shared) == 0)
        return fd;
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_connections(uv_poll_t *handle, int status, int events);

static void on_rested(uv_timer_t *handle)
{
    struct listen *listening = handle->data;
    if (listening->reserve < 0)
        listening->reserve = open_reserve();
    uv_poll_start(&listening->poll, UV_READABLE, on_connections);
}

/* The owner answers one client on the descriptor that was kept for this. */
static void answer_one(struct listen *listening, int error)
{
    int fd = -1;
    if (listening->reserve >= 0) {
        close(listening->reserve);
        listening->reserve = -1;
        fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    listening->events->on_exhausted(listening->owner, fd, error);
    listening->reserve = open_reserve();
}

/* The other clients wait in the backlog until descriptors are free again. */
static void rest(struct listen *listening, int error)
{
    uv_poll_stop(&listening->poll);
    uv_timer_start(&listening->rest, on_rested, REST_MS, 0);
    answer_one(listening, error);
}

static bool is_out_of_resources(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOBUFS ||
           number == ENOMEM;
}

static void accept_some(struct listen *listening)
{
    for (int i = 0; i < ACCEPTS_MAX && listening->fd >= 0; i++) {
        int fd =
            accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listening->events->on_accept(listening->owner, fd);
            continue;
        }
        int number = errno;
        if (is_out_of_resources(number))
            rest(listening, number);
        /* These two are the trouble of a single connection: accept(2). */
        if (number != ECONNABORTED && number != EINTR)
            return;
    }
}

static void on_connections(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    accept_some(handle->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct listen *listening = handle->data;
    if (--listening->open_handles == 0)
        free(listening);
}

static struct listen *new_listen(struct loop *loop, int fd)
{
    struct listen *listening = calloc(1, sizeof(*listening));
    if (listening == NULL)
        return NULL;
    if (uv_poll_init(&loop->uv, &listening->poll, fd) != 0) {
        free(listening);
        return NULL;
    }
    uv_timer_init(&loop->uv, &listening->rest);
    listening->loop = loop;
    listening->poll.data = listening;
    listening->rest.data = listening;
    listening->open_handles = 2;
    listening->fd = fd;
    listening->reserve = open_reserve();
    return listening;
}

int listen_begin(int fd)
{
    return listen(fd, BACKLOG);
}

int listen_bind(struct str host, uint16_t port, char *error, size_t room)
{
    int fd = open_address(host, port, true);
    if (fd < 0)
        say(error, room, host, port, errno);
    return fd;
}

struct listen *listen_adopt(struct loop *loop, int fd,
                            const struct listen_events *events, void *owner)
{
    struct listen *listening = new_listen(loop, fd);
    if (listening == NULL) {
        close(fd);
        return NULL;
    }
    listening->events = events;
    listening->owner = owner;
    uv_poll_start(&listening->poll, UV_READABLE, on_connections);
    return listening;
}

struct listen *listen_open(struct loop *loop, struct str host, uint16_t port,
                           const struct listen_events *events, void *owner,
                           char *error, size_t room)
{
    int fd = listen_bind(host, port, error, room);
    if (fd < 0)
        return NULL;
    if (listen_begin(fd) != 0) {
        say(error, room, host, port, errno);
        close(fd);
        return NULL;
    }
    struct listen *listening = listen_adopt(loop, fd, events, owner);
    if (listening == NULL)
        say(error, room, host, port, ENOMEM);
    return listening;
}

uint16_t listen_port(const struct listen *listening)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    if (getsockname(listening->fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return socket_address_port(&address);
}

void listen_close(struct listen *listening)
{
    if (listening == NULL)
        return;
    uv_close((uv_handle_t *)&listening->poll, on_closed);
    uv_close((uv_handle_t *)&listening->rest, on_closed);
    close(listening->fd);
    listening->fd = -1;
    if (listening->reserve >= 0)
        close(listening->reserve);
}

int listen_probe(struct str host, uint16_t port, char *error, size_t room)
{
    int fd = open_address(host, port, false);
    int result = fd < 0 ? -1 : listen_begin(fd);
    int number = errno;
    if (result != 0)
        say(error, room, host, port, number);
    if (fd >= 0)
        close(fd);
    errno = number;
    return result;
}
