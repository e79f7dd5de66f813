/* One thread: a loop, its listening sockets, its sessions, its pools. All
 * functions are called by the thread that made it. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "proxy/shared.h"

struct worker;

/* Prepares a worker, number 0, 1, ...; NULL when out of memory. */
struct worker *worker_new(const struct shared *shared, size_t number);

/* Starts its thread: the upstreams are probed first, then the listeners
 * open. 0, or -1 when no thread could be had. */
int worker_start(struct worker *worker);
/* Waits until the listeners are open. 0, or -1 with the reason in `error`. */
int worker_await(struct worker *worker, char *error, size_t room);

/* New transactions go by this snapshot from now on. Returns when that is so,
 * or when the thread has ended. */
void worker_renew(struct worker *worker, const struct settings *policy);
/* No new sessions; those in a transaction finish it. The second call ends
 * them all at once. */
void worker_stop(struct worker *worker);
/* Whether its thread has come to its end. */
bool worker_has_ended(const struct worker *worker);
/* Waits for the thread's end, then frees. Call worker_stop() before. */
void worker_join(struct worker *worker);

#endif
