#include "proxy/supervisor/ports.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/net/listen.h"

#define PROBE_MS 100
#define PROBES 10

static void close_port(struct port *port)
{
    for (size_t i = 0; i < port->count; i++)
        if (port->sockets[i] >= 0)
            close(port->sockets[i]);
    free(port->sockets);
    free(port->address);
}

static void remove_at(struct ports *ports, size_t number)
{
    close_port(&ports->items[number]);
    ports->items[number] = ports->items[--ports->count];
}

static struct port *find(const struct ports *ports, struct str address)
{
    for (size_t i = 0; i < ports->count; i++)
        if (str_equals(address, str_from(ports->items[i].address)))
            return &ports->items[i];
    return NULL;
}

/* Without sockets yet. NULL: out of memory. */
static struct port *add_port(struct ports *ports, struct str address)
{
    struct port *grown =
        realloc(ports->items, (ports->count + 1) * sizeof *ports->items);
    if (grown == NULL)
        return NULL;
    ports->items = grown;
    struct port *port = &grown[ports->count];
    *port =
        (struct port){.address = strndup(address.p, address.n), .is_new = true};
    if (port->address == NULL)
        return NULL;
    ports->count++;
    return port;
}

static int add_socket(struct port *port, int socket)
{
    int *grown =
        realloc(port->sockets, (port->count + 1) * sizeof *port->sockets);
    if (grown == NULL) {
        close(socket);
        return -1;
    }
    port->sockets = grown;
    grown[port->count++] = socket;
    return 0;
}

int ports_add(struct ports *ports, const char *address, int socket)
{
    struct port *port = find(ports, str_from(address));
    if (port == NULL)
        port = add_port(ports, str_from(address));
    if (port == NULL) {
        close(socket);
        return -1;
    }
    return add_socket(port, socket);
}

int ports_give(struct ports *ports, const char *address, int socket)
{
    int result = ports_add(ports, address, socket);
    struct port *port = find(ports, str_from(address));
    if (port != NULL)
        port->is_given = true;
    return result;
}

/* --- the supervisor's side --- */

/* SO_REUSEPORT would let a second server share the port in silence, so it is
 * asked without it. What is left of a server that has died gives its doors up
 * first thing: a moment of patience saves its manager a failed start. */
static int probe(const struct endpoint *address, char *error, size_t room)
{
    for (int i = 0;; i++) {
        if (listen_probe(address->host, address->port, error, room) == 0)
            return 0;
        if (errno != EADDRINUSE || i == PROBES)
            return -1;
        (void)poll(NULL, 0, PROBE_MS);
    }
}

static int open_port(struct ports *ports, const struct endpoint *address,
                     size_t each, char *error, size_t room)
{
    struct port *port = find(ports, address->text);
    if (port == NULL) {
        if (probe(address, error, room) != 0)
            return -1;
        port = add_port(ports, address->text);
    }
    if (each > PORT_SOCKETS_MAX)
        each = PORT_SOCKETS_MAX;
    while (port != NULL && port->count < each && !port->is_given) {
        int fd = listen_bind(address->host, address->port, error, room);
        if (fd < 0)
            return -1;
        if (add_socket(port, fd) != 0)
            port = NULL;
    }
    if (port != NULL)
        return 0;
    snprintf(error, room, "out of memory");
    return -1;
}

/* Who answers there is one thread. */
static int open_http(struct ports *ports, const struct settings *settings,
                     struct diags *diags)
{
    const struct endpoint *address = &settings->http.address;
    char error[256] = "";
    if (address->text.n == 0 ||
        open_port(ports, address, 1, error, sizeof error) == 0)
        return 0;
    diags_error(diags, address->mark, "%s", error);
    ports_withdraw(ports);
    return -1;
}

int ports_open(struct ports *ports, const struct settings *settings,
               size_t each, struct diags *diags)
{
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++) {
            const struct endpoint *address = &listener->addresses[j];
            char error[256] = "";
            if (open_port(ports, address, each, error, sizeof error) == 0)
                continue;
            diags_error(diags, address->mark, "%s", error);
            ports_withdraw(ports);
            return -1;
        }
    }
    return open_http(ports, settings, diags);
}

/* Without settings all of them are. */
static bool is_named(const struct settings *settings, struct str text)
{
    if (settings == NULL || str_equals(settings->http.address.text, text))
        return true;
    for (size_t i = 0; i < settings->listener_count; i++)
        for (size_t j = 0; j < settings->listeners[i].address_count; j++)
            if (str_equals(settings->listeners[i].addresses[j].text, text))
                return true;
    return false;
}

void ports_listen(struct ports *ports, const struct settings *settings)
{
    for (size_t i = 0; i < ports->count; i++) {
        const struct port *port = &ports->items[i];
        if (!is_named(settings, str_from(port->address)))
            continue;
        for (size_t j = 0; j < port->count; j++)
            (void)listen_begin(port->sockets[j]);
    }
}

void ports_settle(struct ports *ports, const struct settings *settings)
{
    for (size_t i = ports->count; i-- > 0;) {
        ports->items[i].is_new = false;
        if (!is_named(settings, str_from(ports->items[i].address)))
            remove_at(ports, i);
    }
}

void ports_settle_all(struct ports *ports)
{
    for (size_t i = 0; i < ports->count; i++)
        ports->items[i].is_new = false;
}

void ports_withdraw(struct ports *ports)
{
    for (size_t i = ports->count; i-- > 0;)
        if (ports->items[i].is_new)
            remove_at(ports, i);
}

void ports_release(struct ports *ports)
{
    while (ports->count > 0)
        remove_at(ports, ports->count - 1);
    free(ports->items);
    ports->items = NULL;
}

int ports_send(const struct ports *ports, const struct settings *settings,
               int channel)
{
    for (size_t i = 0; i < ports->count; i++) {
        const struct port *port = &ports->items[i];
        if (is_named(settings, str_from(port->address)) &&
            channel_send(
                channel,
                json_pack("{s:s, s:s}", "do", "port", "address", port->address),
                port->sockets, port->count) != 0)
            return -1;
    }
    return 0;
}

/* --- the worker process's side --- */

int ports_receive(struct ports *ports, struct channel_message *message)
{
    const char *address =
        json_string_value(json_object_get(message->body, "address"));
    if (address == NULL)
        return -1;
    for (size_t i = 0; i < message->descriptor_count; i++)
        if (ports_add(ports, address, channel_take(message, i)) != 0)
            return -1;
    return 0;
}

size_t ports_take(struct ports *ports, struct str address, size_t number,
                  size_t threads, int *sockets, size_t room)
{
    struct port *port = find(ports, address);
    size_t taken = 0;
    if (port == NULL)
        return 0;
    for (size_t i = number; i < port->count && taken < room; i += threads) {
        sockets[taken++] = port->sockets[i];
        port->sockets[i] = -1;
    }
    return taken;
}
