#include "proxy/log/log_lane.h"

void log_lane_init(struct log_lane *lane, size_t cap)
{
    pthread_mutex_init(&lane->lock, NULL);
    line_queue_init(&lane->queue, cap);
    lane->lost = 0;
}

void log_lane_release(struct log_lane *lane)
{
    line_queue_release(&lane->queue);
    pthread_mutex_destroy(&lane->lock);
}

size_t log_lane_push(struct log_lane *lane, struct str line, bool is_sure)
{
    pthread_mutex_lock(&lane->lock);
    if (line.n == 0 || (is_sure ? line_queue_push_over(&lane->queue, line)
                                : line_queue_push(&lane->queue, line)) != 0)
        lane->lost++;
    size_t waiting = lane->queue.used;
    pthread_mutex_unlock(&lane->lock);
    return waiting;
}

bool log_lane_is_over_half_full(struct log_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool is_over = lane->queue.used > lane->queue.cap / 2;
    pthread_mutex_unlock(&lane->lock);
    return is_over;
}

uint64_t log_lane_take(struct log_lane *lane, struct line_queue *to)
{
    pthread_mutex_lock(&lane->lock);
    line_queue_move(&lane->queue, to);
    uint64_t lost = lane->lost;
    lane->lost = 0;
    pthread_mutex_unlock(&lane->lock);
    return lost;
}

bool log_lane_is_empty(struct log_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool is_empty = lane->queue.used == 0;
    pthread_mutex_unlock(&lane->lock);
    return is_empty;
}
