/* The listening sockets of a worker, and who is let in by them: connections
 * have caps, and a client for whom there is no room is told so. */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "proxy/session/session.h"
#include "proxy/shared.h"
#include "proxy/supervisor/ports.h"

struct listeners;

/* Clients become sessions of `host`. Both are borrowed. NULL when out of
 * memory. */
struct listeners *listeners_new(const struct shared *shared,
                                struct session_host *host);
/* Which of the sockets are this thread's. */
struct listeners_share {
    struct ports *ports;
    size_t number, threads;
};
/* Listens on the sockets of the settings' addresses. 0, or -1 when out of
 * memory: some may be open. */
int listeners_open(struct listeners *listeners,
                   const struct listeners_share *share);
/* Nobody comes in any more. */
void listeners_close(struct listeners *listeners);
/* NULL is fine. */
void listeners_free(struct listeners *listeners);

/* Whether there is room for this client, whom a balancer has named; if not, it
 * is logged. */
bool listeners_admit(const struct shared *shared, const struct ip *client);

#endif
