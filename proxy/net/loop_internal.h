/* The inside of a loop, for the files of this folder. */
#ifndef PROXY_NET_LOOP_INTERNAL_H
#define PROXY_NET_LOOP_INTERNAL_H

#include "proxy/net/loop.h"
#include "proxy/tls/octet_queue.h"

#include <uv.h>

/* What one read() may bring; shared by all streams of the loop, since what
 * came in is copied out before the callback returns. */
#define LOOP_SCRATCH (128 * 1024)

/* Of OCTET_QUEUE_SMALLEST each. */
#define LOOP_SPARE_BLOCKS 256

/* Something that its owner has closed and that still takes its leave from
 * the network. `cut` ends it at once; called by loop_free(). */
struct loop_leaving {
    struct loop_leaving *next, *previous;
    void (*cut)(struct loop_leaving *leaving);
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t before_poll; /* the end of a turn of timers */
    uv_check_t after_poll;    /* the end of a turn of I/O */
    uv_idle_t no_sleep;       /* active while something is queued */
    struct loop_later *first, **last;
    struct loop_leaving *leaving;
    struct spare_blocks spare; /* of its streams' queues */
    struct key_link *keys;     /* the way to the private keys; NULL: none */
    char scratch[LOOP_SCRATCH];
};

void loop_leaving_add(struct loop *loop, struct loop_leaving *leaving);
void loop_leaving_remove(struct loop *loop, struct loop_leaving *leaving);

#endif
