/* Counting: what a thread says, and what any thread may. */
#include "proxy/metrics/metrics_internal.h"

#include <stdlib.h>

struct metrics_lane *metrics_lane_new(struct metrics *metrics, size_t number)
{
    struct metrics_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    size_t row = number % METRICS_ROWS;
    *lane = (struct metrics_lane){
        .metrics = metrics,
        .row = &metrics->at->rows[row],
        .now = &metrics->at->now[metrics->slot][row],
    };
    return lane;
}

void metrics_lane_free(struct metrics_lane *lane)
{
    free(lane);
}

void metrics_add(struct metrics_lane *lane, enum metric metric, uint64_t amount)
{
    if (lane != NULL)
        metrics_count(&lane->row->counts[metric], amount);
}

void metrics_add_minute(struct metrics_lane *lane, enum metric_minutes what,
                        uint64_t us)
{
    if (lane != NULL)
        minutes_add(&lane->row->minutes[what], metrics_minute_of(us), 1);
}

void metrics_add_series(struct metrics_lane *lane, enum series_family family,
                        const struct str *labels, uint64_t us)
{
    if (lane != NULL)
        series_add(&lane->metrics->at->series, family, labels,
                   metrics_minute_of(us), 1);
}

void metrics_add_policy(struct metrics_lane *lane, uint64_t us)
{
    if (lane != NULL)
        histogram_add(&lane->row->policy, &histogram_scale_work, us);
}

void metrics_tell_lag(struct metrics_lane *lane, uint64_t lag_us, uint64_t us)
{
    if (lane == NULL)
        return;
    struct metrics_now *now = lane->now;
    uint64_t minute = metrics_minute_of(us);
    size_t turn = (size_t)(minute % 2);
    metrics_put(&now->lag_us, lag_us);
    if (metrics_get(&now->max_minutes[turn]) != minute) {
        metrics_put(&now->max_us[turn], 0);
        metrics_put(&now->max_minutes[turn], minute);
    }
    if (lag_us > metrics_get(&now->max_us[turn]))
        metrics_put(&now->max_us[turn], lag_us);
    histogram_add(&lane->row->lags, &histogram_scale_work, lag_us);
}

void metrics_tell_store(struct metrics_lane *lane, bool is_up)
{
    if (lane != NULL)
        atomic_store_explicit(&lane->now->has_store, is_up,
                              memory_order_relaxed);
}

struct store_meter *metrics_store_meter(struct metrics_lane *lane)
{
    return &lane->row->store;
}

void metrics_tell_held(struct metrics_lane *lane, uint64_t octets_held)
{
    if (lane != NULL)
        metrics_put(&lane->now->held, octets_held);
}

_Atomic uint64_t *metrics_common(struct metrics *metrics,
                                 enum metric_common number)
{
    return &metrics->at->common[number];
}

void metrics_add_common(struct metrics *metrics, enum metric_common number)
{
    if (metrics != NULL)
        metrics_count(&metrics->at->common[number], 1);
}

void metrics_set_common(struct metrics *metrics, enum metric_common number,
                        uint64_t value)
{
    metrics_put(&metrics->at->common[number], value);
}
