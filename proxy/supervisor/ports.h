/* Listening sockets by the address that the configuration names: opened and
 * kept by the supervisor, handed to each worker process, so that a client who
 * has connected while one process follows another waits in the kernel and
 * loses nothing. An address has a socket a thread (SO_REUSEPORT). */
#ifndef PROXY_SUPERVISOR_PORTS_H
#define PROXY_SUPERVISOR_PORTS_H

#include <jansson.h>

#include "config/settings.h"
#include "proxy/control/channel.h"

/* Of one address: threads beyond share them. */
#define PORT_SOCKETS_MAX CHANNEL_DESCRIPTORS_MAX

struct port {
    char *address; /* owned; as the configuration has it */
    int *sockets;  /* owned; -1: taken */
    size_t count;
    bool is_new;   /* opened since ports_settle() */
    bool is_given; /* by a service manager: there can't be more */
};

struct ports {
    struct port *items;
    size_t count;
};

/* Opens what the settings name and is not open yet, `each` sockets an address
 * of a listener and one for HTTP. 0; -1 with an error at the address in diags,
 * and then those that are new are closed again. */
int ports_open(struct ports *ports, const struct settings *settings,
               size_t each, struct diags *diags);
/* Lets clients come to those of the settings (NULL: to all): until somebody
 * serves them they wait. */
void ports_listen(struct ports *ports, const struct settings *settings);
/* Closes all but those of the settings; what is new stays. */
void ports_settle(struct ports *ports, const struct settings *settings);
/* Nothing is new any more. */
void ports_settle_all(struct ports *ports);
/* Closes what is new. */
void ports_withdraw(struct ports *ports);
void ports_release(struct ports *ports);

/* Adds a socket under an address; owned also on failure: -1, out of memory. */
int ports_add(struct ports *ports, const char *address, int socket);
/* The same for a socket that a service manager listens on: the address gets no
 * others. */
int ports_give(struct ports *ports, const char *address, int socket);
/* Up to `room` sockets of an address that are thread `number`'s of `threads`,
 * which are the caller's from now on. How many. */
size_t ports_take(struct ports *ports, struct str address, size_t number,
                  size_t threads, int *sockets, size_t room);

/* Says them to a worker process, those of the settings (NULL: all); and what it
 * does with such a message. 0, or -1. */
int ports_send(const struct ports *ports, const struct settings *settings,
               int channel);
int ports_receive(struct ports *ports, struct channel_message *message);

#endif
