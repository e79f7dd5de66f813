/* Holds back what repeats itself: of one message, BURST_MAX go through in
 * BURST_MS, the rest are counted. A few messages are remembered at a time; a
 * new one takes the place of the oldest. Pure; time is passed in. */
#ifndef PROXY_LOG_BURST_H
#define PROXY_LOG_BURST_H

#include "rules/base/str.h"

#define BURST_MAX 10
#define BURST_MS 10000
#define BURST_SLOTS 16
#define BURST_TEXT_MAX 1024

struct burst_slot {
    uint64_t started_ms;
    uint64_t seen; /* 0: the slot is free */
    int level;     /* the owner's, given back with the sum */
    size_t length;
    char text[BURST_TEXT_MAX];
};

struct burst {
    struct burst_slot slots[BURST_SLOTS];
    char evicted[BURST_TEXT_MAX]; /* a slot's text, after it was taken over */
};

/* What was held back of one message. */
struct burst_sum {
    uint64_t count;
    int level;
    struct str text; /* valid until the next burst_pass() */
};

void burst_init(struct burst *burst);
/* Takes out one message whose time is up (or, with `is_all`, any), as long as
 * there is one with something held back; false: none is left. */
bool burst_next_sum(struct burst *burst, uint64_t now_ms, bool is_all,
                    struct burst_sum *sum);
/* Whether this message may go through. When it takes the place of one that
 * was held back, that one's sum is in *evicted; else its count is 0. */
bool burst_pass(struct burst *burst, uint64_t now_ms, int level,
                struct str text, struct burst_sum *evicted);

#endif
