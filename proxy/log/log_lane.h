/* Where the lines of one thread wait for the writer of a log: the thread and
 * the writer share it, and nobody else, so that its lock is free but for the
 * moment in which the writer takes what is there. A value. */
#ifndef PROXY_LOG_LOG_LANE_H
#define PROXY_LOG_LOG_LANE_H

#include <pthread.h>

#include "proxy/log/line_queue.h"

struct log_lane {
    pthread_mutex_t lock; /* over all below */
    struct line_queue queue;
    uint64_t lost; /* there was no room for them */
};

void log_lane_init(struct log_lane *lane, size_t cap);
void log_lane_release(struct log_lane *lane);
/* The octets that wait now. An empty line counts as lost. `is_sure`: it is
 * taken beyond the cap too. */
size_t log_lane_push(struct log_lane *lane, struct str line, bool is_sure);
bool log_lane_is_over_half_full(struct log_lane *lane);
/* Moves all lines to `to`, which must be empty. How many were lost since. */
uint64_t log_lane_take(struct log_lane *lane, struct line_queue *to);
bool log_lane_is_empty(struct log_lane *lane);

#endif
