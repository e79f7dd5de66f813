/* Octets in, octets out, in order: a queue with a maximum. Grows on demand;
 * an empty queue holds no memory. What it held is wiped before the memory
 * goes, since passwords pass through, unless the owner knows better. The
 * struct is the caller's. */
#ifndef PROXY_TLS_OCTET_QUEUE_H
#define PROXY_TLS_OCTET_QUEUE_H

#include "rules/base/str.h"

/* Memory of small queues that became empty, for those that fill: commands and
 * their replies then take none anew. A value; one thread's. Zeroed, it keeps
 * none. */
struct octet_store {
    struct octet_block *blocks;
    size_t count, max;
};

struct octet_queue {
    struct octet_store *store; /* borrowed; NULL: none */
    char *octets;
    size_t start; /* of what is held */
    size_t size;  /* of what is held */
    size_t capacity;
    size_t max;
    bool wipes;
    bool is_to_wipe; /* the memory held now, though `wipes` be over */
};

/* `max` blocks of half a KiB are kept at most; under the address sanitizer
 * none, so that it sees what is used after its end. */
void octet_store_init(struct octet_store *store, size_t max);
void octet_store_release(struct octet_store *store);

void octet_queue_init(struct octet_queue *queue, size_t max);
/* Before the first octet. The store must outlive the queue. */
void octet_queue_share(struct octet_queue *queue, struct octet_store *store);
void octet_queue_release(struct octet_queue *queue);
/* Whether what is added from now on may be secret; it is at first. */
void octet_queue_expect_secrets(struct octet_queue *queue, bool are_expected);

/* How many octets may still be added. */
size_t octet_queue_room(const struct octet_queue *queue);
/* What is held; valid until the queue is next changed. */
struct str octet_queue_view(const struct octet_queue *queue);

/* Copies all of it. 0, or -1 when the maximum would be passed or memory is
 * out; then nothing is added. */
int octet_queue_add(struct octet_queue *queue, struct str octets);
/* Room for `octets` to be written in place and then committed (perhaps fewer,
 * perhaps none); NULL when the maximum would be passed or memory is out. */
char *octet_queue_reserve(struct octet_queue *queue, size_t octets);
void octet_queue_commit(struct octet_queue *queue, size_t octets);
/* Forgets the first `octets`, which must be held. */
void octet_queue_drop(struct octet_queue *queue, size_t octets);
/* The same, wiped at once, though others be held behind them. */
void octet_queue_wipe(struct octet_queue *queue, size_t octets);

#endif
