/* A listening socket on one address. Several loops of the process may listen
 * on the same address (SO_REUSEPORT), and the kernel spreads the connections.
 * Out of descriptors it rests a moment, leaves the connections in the
 * backlog, and tries again. */
#ifndef PROXY_NET_LISTEN_H
#define PROXY_NET_LISTEN_H

#include "proxy/net/loop.h"

struct listen;

/* `host` is a numeric address; "::" takes IPv4 too. Port 0: one that is free.
 * `on_accept` owns the connected socket it is given. NULL on failure, with
 * words in `error` that name the address: "[::]:587: address already in
 * use". */
struct listen *listen_open(struct loop *loop, struct str host, uint16_t port,
                           void (*on_accept)(void *owner, int fd), void *owner,
                           char *error, size_t room);
uint16_t listen_port(const struct listen *listening);
/* No more calls of on_accept; may be called inside one. NULL is fine. */
void listen_close(struct listen *listening);

/* Whether this process could listen there. SO_REUSEPORT would let a second
 * server of the same user share the port without a word, so this asks without
 * it: to be called before the first listen_open() of the address. 0, or -1
 * with words in `error`. */
int listen_probe(struct str host, uint16_t port, char *error, size_t room);

#endif
