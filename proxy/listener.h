/* The listening sockets of a worker, and who is let in by them: connections
 * have caps, and a client for whom there is no room is told so. */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "proxy/session/session.h"
#include "proxy/shared.h"

struct listeners;

/* Clients become sessions of `host`. Both are borrowed. NULL when out of
 * memory. */
struct listeners *listeners_new(const struct shared *shared,
                                struct session_host *host);
/* Opens those of the settings. 0, or -1 with words in `error`: some may be
 * open. */
int listeners_open(struct listeners *listeners, char *error, size_t room);
/* Nobody comes in any more. */
void listeners_close(struct listeners *listeners);
/* NULL is fine. */
void listeners_free(struct listeners *listeners);

/* Whether there is room for this client, whom a balancer has named; if not, it
 * is logged. */
bool listeners_admit(const struct shared *shared, const struct ip *client);

#endif
