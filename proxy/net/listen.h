/* A listening socket on one address. Several loops of the process may listen
 * on the same address (SO_REUSEPORT), and the kernel spreads the connections.
 * Out of descriptors it has one client answered on a descriptor it kept for
 * that, rests a moment, leaves the others in the backlog, and tries again. */
#ifndef PROXY_NET_LISTEN_H
#define PROXY_NET_LISTEN_H

#include "proxy/net/loop.h"

struct listen;

struct listen_events {
    /* Owns the connected socket it is given. */
    void (*on_accept)(void *owner, int fd);
    /* Descriptors or the kernel's memory have run out: `error` is an errno of
     * accept(2). `fd` is a connected socket, to be answered and closed within
     * the call, for it is the last one; negative when there is none. */
    void (*on_exhausted)(void *owner, int fd, int error);
};

/* `host` is a numeric address; "::" takes IPv4 too. Port 0: one that is free.
 * `events` is borrowed. NULL on failure, with words in `error` that name the
 * address: "[::]:587: address already in use". */
struct listen *listen_open(struct loop *loop, struct str host, uint16_t port,
                           const struct listen_events *events, void *owner,
                           char *error, size_t room);
/* The same in three steps, which two processes may take. The socket is the
 * caller's; -1 on failure, with words in `error`. */
int listen_bind(struct str host, uint16_t port, char *error, size_t room);
/* Clients may connect from now on; again is fine. 0, or -1 with errno set. */
int listen_begin(int fd);
/* Owns `fd`, a listening socket that does not block, also on failure: NULL,
 * out of memory. */
struct listen *listen_adopt(struct loop *loop, int fd,
                            const struct listen_events *events, void *owner);
uint16_t listen_port(const struct listen *listening);
/* No more events; may be called inside on_accept. NULL is fine. */
void listen_close(struct listen *listening);

/* Whether this process could listen there. SO_REUSEPORT would let a second
 * server of the same user share the port without a word, so this asks without
 * it: to be called before the first listen_open() of the address. 0, or -1
 * with words in `error` and errno set. */
int listen_probe(struct str host, uint16_t port, char *error, size_t room);

#endif
