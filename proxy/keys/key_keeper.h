/* Keeps private keys for a process that reads the network: a thread that
 * answers questions on sockets (SOCK_SEQPACKET, one end of each pair; see
 * key_wire.h). A socket that says anything else is closed. What it signs is
 * the business of proxy/tls/key_set.h; keys never leave it.
 *
 * All functions are thread-safe, but for free. */
#ifndef PROXY_KEYS_KEY_KEEPER_H
#define PROXY_KEYS_KEY_KEEPER_H

#include "proxy/tls/key_set.h"

/* One an event loop, those of workers that drain included. */
#define KEY_KEEPER_SOCKETS_MAX 1024

struct key_keeper;

/* Told by its thread, in words for the log. */
typedef void (*key_keeper_tell)(void *owner, const char *words);

/* Starts its thread, with no keys yet. NULL when out of memory, descriptors or
 * threads. */
struct key_keeper *key_keeper_new(key_keeper_tell tell, void *owner);
/* Closes all sockets. Nobody may be inside another of these. NULL is fine. */
void key_keeper_free(struct key_keeper *keeper);

/* Signs with these from the next question on. Takes the set. The one before
 * stays too, for who still shows its certificates, until the next comes. */
void key_keeper_renew(struct key_keeper *keeper, struct key_set *fresh);
/* The last renewal was for nothing: signs with those before it again. */
void key_keeper_revert(struct key_keeper *keeper);
/* The sockets that it answers on, which stay its own, up to `room`: to leave
 * them to another keeper. How many. */
size_t key_keeper_sockets(struct key_keeper *keeper, int *fds, size_t room);
/* Answers on this socket too, until its other end is closed. Takes it, also
 * when that fails. 0, or -1: there are KEY_KEEPER_SOCKETS_MAX already. */
int key_keeper_add(struct key_keeper *keeper, int fd);

#endif
