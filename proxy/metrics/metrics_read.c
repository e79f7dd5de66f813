/* Sums over all threads, and over processes where each has its own. */
#include "proxy/metrics/metrics_internal.h"

uint64_t metrics_sum(const struct metrics *metrics, enum metric metric)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < METRICS_ROWS; i++)
        sum += metrics_get(&metrics->at->rows[i].counts[metric]);
    return sum;
}

uint64_t metrics_sum_common(const struct metrics *metrics,
                            enum metric_common number)
{
    return metrics_get(&metrics->at->common[number]);
}

void metrics_minutes(const struct metrics *metrics, enum metric_minutes what,
                     uint64_t minute, uint64_t out[MINUTES])
{
    for (size_t i = 0; i < METRICS_ROWS; i++)
        minutes_read(&metrics->at->rows[i].minutes[what], minute, out);
}

void metrics_policy(const struct metrics *metrics, struct histogram_sum *sum)
{
    for (size_t i = 0; i < METRICS_ROWS; i++)
        histogram_read(&metrics->at->rows[i].policy, sum);
}

const struct series_table *metrics_series(const struct metrics *metrics)
{
    return &metrics->at->series;
}

static void larger(uint64_t *number, uint64_t other)
{
    if (other > *number)
        *number = other;
}

struct metrics_lag metrics_lag_of(const struct metrics *metrics, size_t thread,
                                  uint64_t us)
{
    const struct metrics_now *now =
        &metrics->at->now[metrics->slot][thread % METRICS_ROWS];
    struct metrics_lag lag = {.last_us = metrics_get(&now->lag_us)};
    uint64_t minute = metrics_minute_of(us);
    for (size_t turn = 0; turn < 2; turn++)
        if (minute - metrics_get(&now->max_minutes[turn]) < 2)
            larger(&lag.max_us, metrics_get(&now->max_us[turn]));
    return lag;
}

struct metrics_lag metrics_lag(const struct metrics *metrics, uint64_t us)
{
    struct metrics_lag worst = {0, 0};
    for (size_t i = 0; i < METRICS_ROWS; i++) {
        struct metrics_lag lag = metrics_lag_of(metrics, i, us);
        larger(&worst.last_us, lag.last_us);
        larger(&worst.max_us, lag.max_us);
    }
    return worst;
}

void metrics_lags(const struct metrics *metrics, struct histogram_sum *sum)
{
    for (size_t i = 0; i < METRICS_ROWS; i++)
        histogram_read(&metrics->at->rows[i].lags, sum);
}

void metrics_store(const struct metrics *metrics, uint64_t counts[STORE_COUNTS],
                   struct histogram_sum *latency)
{
    for (size_t i = 0; i < METRICS_ROWS; i++) {
        const struct store_meter *store = &metrics->at->rows[i].store;
        for (size_t j = 0; j < STORE_COUNTS; j++)
            counts[j] += store_meter_read(store, (enum store_count)j);
        histogram_read(&store->latency, latency);
    }
}

bool metrics_has_store(const struct metrics *metrics, size_t threads)
{
    const struct metrics_now *now = metrics->at->now[metrics->slot];
    for (size_t i = 0; i < threads && i < METRICS_ROWS; i++)
        if (!atomic_load_explicit(&now[i].has_store, memory_order_relaxed))
            return false;
    return true;
}

uint64_t metrics_held(const struct metrics *metrics)
{
    uint64_t sum = 0;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        for (size_t i = 0; i < METRICS_ROWS; i++)
            sum += metrics_get(&metrics->at->now[slot][i].held);
    return sum;
}
