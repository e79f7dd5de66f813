#include "proxy/budgets/store_meter.h"

const uint32_t STORE_LATENCY_US[STORE_LATENCY_BUCKETS - 1] = {
    50,    100,   200,   500,    1000,   2000,   5000,
    10000, 20000, 50000, 100000, 250000, 1000000};

static const char *const NAMES[STORE_COUNTS] = {
    [STORE_QUESTIONS] = "questions", [STORE_WITHIN] = "within",
    [STORE_EXCEEDED] = "exceeded",   [STORE_LISTED] = "listed",
    [STORE_UNLISTED] = "unlisted",   [STORE_AWAY] = "away",
    [STORE_FULL] = "full",           [STORE_LATE] = "late",
    [STORE_BROKEN] = "broken",       [STORE_TOLD] = "told",
    [STORE_LOST] = "lost",           [STORE_CONNECTS] = "connects",
    [STORE_LEFT] = "left",           [STORE_LOADS] = "loads",
};

const char *store_count_name(enum store_count count)
{
    return NAMES[count];
}

void store_meter_add(struct store_meter *meter, enum store_count count,
                     uint64_t by)
{
    atomic_fetch_add_explicit(&meter->counts[count], by, memory_order_relaxed);
}

void store_meter_answered(struct store_meter *meter, uint64_t us)
{
    size_t bucket = 0;
    while (bucket < STORE_LATENCY_BUCKETS - 1 && us > STORE_LATENCY_US[bucket])
        bucket++;
    atomic_fetch_add_explicit(&meter->latency[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&meter->latency_sum_us, us, memory_order_relaxed);
}

uint64_t store_meter_read(const struct store_meter *meter,
                          enum store_count count)
{
    return atomic_load_explicit(&meter->counts[count], memory_order_relaxed);
}
