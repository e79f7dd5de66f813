/* One thread: a loop, its listening sockets, its sessions, its pools. All
 * functions are called by the thread that made it. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "proxy/shared.h"
#include "proxy/supervisor/ports.h"

struct worker;

/* Prepares a worker, number 0, 1, ...; NULL when out of memory. */
struct worker *worker_new(const struct shared *shared, size_t number);

/* Has signatures made on this socket, which is taken: for a process that has no
 * private keys; before worker_start(). 0, or -1 when out of memory. */
int worker_ask_for_keys(struct worker *worker, int fd);
/* Starts its thread, which asks the upstreams what they can do. 0, or -1 when
 * no thread could be had. */
int worker_start(struct worker *worker);
/* Waits until they have answered, or have had their time. */
void worker_await(struct worker *worker);
/* Lets clients in by its share of the sockets, one of `threads`. Returns when
 * that is so. 0, or -1 when out of memory. */
int worker_listen(struct worker *worker, struct ports *ports, size_t threads);

/* New transactions go by this snapshot from now on. Returns when that is so,
 * or when the thread has ended. */
void worker_renew(struct worker *worker, const struct settings *policy);
/* No new sessions; worker_listen() may follow, or worker_drain(): those that
 * there are end by themselves, then the thread does. Those that have not within
 * `within_ms` are stopped. */
void worker_retire(struct worker *worker);
void worker_drain(struct worker *worker, uint64_t within_ms);
/* Whether its loop has turned since this was last asked; wakes it, so that it
 * does. */
bool worker_has_turned(struct worker *worker);
/* The same for who asks now and then and on any thread: not when what it was
 * asked for the first time is `patience_ms` ago and it has not turned since. */
bool worker_is_turning(struct worker *worker, uint64_t now_ms,
                       uint64_t patience_ms);
/* No new sessions; those in a transaction finish it. The second call ends
 * them all at once. */
void worker_stop(struct worker *worker);
/* Whether its thread has come to its end. */
bool worker_has_ended(const struct worker *worker);
/* Waits for the thread's end, then frees. Call worker_stop() before. */
void worker_join(struct worker *worker);

#endif
