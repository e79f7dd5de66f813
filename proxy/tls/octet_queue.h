/* Octets in, octets out, in order: a queue with a maximum. Grows on demand;
 * an empty queue holds no memory. What it held is wiped before the memory
 * goes, since passwords pass through, unless the owner knows better. The
 * struct is the caller's. */
#ifndef PROXY_TLS_OCTET_QUEUE_H
#define PROXY_TLS_OCTET_QUEUE_H

#include "rules/base/spare_blocks.h"
#include "rules/base/str.h"

#define OCTET_QUEUE_SMALLEST 512

struct octet_queue {
    struct spare_blocks *spare; /* borrowed; NULL: none */
    char *octets;
    size_t start; /* of what is held */
    size_t size;  /* of what is held */
    size_t capacity;
    size_t max;
    bool wipes;
    bool is_to_wipe; /* the memory held now, though `wipes` be over */
};

void octet_queue_init(struct octet_queue *queue, size_t max);
/* Before the first octet: the memory of a small queue, of OCTET_QUEUE_SMALLEST,
 * comes from there and goes back. The spare ones must outlive the queue. */
void octet_queue_share(struct octet_queue *queue, struct spare_blocks *spare);
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
