/* Bounded threads that check passwords against hashes, which is slow by
 * design. One lock guards the queues, the lists of answers and every
 * question's state; it is held for pointers only.
 *
 * Who is known to come from where he comes waits in a queue of his own, which
 * goes first: a flood of strangers' guesses does not keep him out. */
#ifndef PROXY_LOGIN_HASH_THREADS_H
#define PROXY_LOGIN_HASH_THREADS_H

#include "proxy/login/login.h"
#include "proxy/login/password_hash.h"

/* Questions that wait, of each queue, and strangers' of one network. */
#define HASH_QUEUE_MAX 256
#define HASH_QUEUE_NET_MAX 64

struct hash_threads; /* one a process */
struct hash_client;  /* a loop's way in: one a worker */
struct hash_query;   /* one question under way */

/* NULL when out of memory. No thread runs yet. */
struct hash_threads *hash_threads_new(void);
/* 0, or an errno when not even one thread could be started. */
int hash_threads_start(struct hash_threads *threads);
/* Ends and joins them; every client was freed before. NULL is fine. */
void hash_threads_free(struct hash_threads *threads);

/* NULL when out of memory. */
struct hash_client *hash_client_new(struct hash_threads *threads,
                                    struct loop *loop);
/* What was asked is not answered any more. */
void hash_client_free(struct hash_client *client);

typedef void hash_then(void *owner, enum login_result result);

/* Whether the claim's secret is the password of `hash`: where that is a
 * stand-in's it never is, though it takes as long. Copies both; the hash is of
 * some kind. LOGIN_UNAVAILABLE when too many wait. The answer comes later, on
 * the client's loop, once. NULL when out of memory. */
struct hash_query *hash_ask(struct hash_client *client,
                            const struct claim *claim,
                            const struct password_hash *hash, bool is_stand_in,
                            hash_then *then, void *owner);
void hash_cancel(struct hash_query *query);

#endif
