/* What lies in the memory of the metrics, for the files of this folder. */
#ifndef PROXY_METRICS_METRICS_INTERNAL_H
#define PROXY_METRICS_METRICS_INTERNAL_H

#include "proxy/budgets/shared_memory.h"
#include "proxy/metrics/metrics.h"

#define METRICS_SERVERS 256
#define METRICS_SERVER_TEXT 160

struct metrics_row {
    _Alignas(64) _Atomic uint64_t counts[METRIC_COUNT];
    struct minutes minutes[MINUTES_COUNT];
    struct histogram policy;
    struct histogram lags;
    struct store_meter store;
};

/* What a thread says of now. */
struct metrics_now {
    _Alignas(64) _Atomic uint64_t lag_us;
    /* The largest of two minutes that take turns. */
    _Atomic uint64_t max_minutes[2], max_us[2];
    _Atomic uint64_t held;
    atomic_bool has_store; /* its link to the shared store is up */
};

struct metrics_server {
    atomic_bool is_there; /* set last: then the names stay */
    uint8_t upstream_length, server_length;
    char text[METRICS_SERVER_TEXT];
    _Alignas(64) _Atomic uint64_t opened;
    _Atomic uint64_t failed;
    _Atomic uint64_t in_use[SLOTS], idle[SLOTS];
    struct histogram latency[LATENCY_COUNT];
    struct recent_histogram recent_end;
};

struct metrics_users {
    struct robust_lock lock;
    struct top_users top;
};

struct metrics_shadow {
    struct robust_lock lock;
    uint64_t count;
    struct shadow_note notes[SHADOW_NOTES];
};

struct metrics_memory {
    struct shared_memory_head head;
    uint8_t secret[16];
    struct robust_lock lock; /* of whoever puts a server in */
    _Alignas(64) _Atomic uint64_t common[METRIC_COMMON_COUNT];
    struct metrics_row rows[METRICS_ROWS];
    struct metrics_now now[SLOTS][METRICS_ROWS];
    struct metrics_server servers[METRICS_SERVERS];
    struct metrics_shadow shadow;
    struct series_table series;
    atomic_bool has_users[SLOTS]; /* what was never used takes no memory */
    struct metrics_users users[SLOTS];
};

/* The server to be looked at behind that number: behind the first free place
 * there is only the last, "other". */
size_t metrics_server_behind(const struct metrics_memory *at, size_t number);

struct metrics {
    struct shared_memory memory;
    struct metrics_memory *at;
    unsigned slot;
};

struct metrics_lane {
    struct metrics *metrics;
    struct metrics_row *row;
    struct metrics_now *now;
};

/* Numbers of the memory, which any thread of any process may be at. */
static inline void metrics_put(_Atomic uint64_t *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static inline uint64_t metrics_get(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static inline void metrics_count(_Atomic uint64_t *number, uint64_t amount)
{
    atomic_fetch_add_explicit(number, amount, memory_order_relaxed);
}

#endif
