#include "proxy/budgets/store_meter.h"

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
    histogram_add(&meter->latency, &histogram_scale_work, us);
}

uint64_t store_meter_read(const struct store_meter *meter,
                          enum store_count count)
{
    return atomic_load_explicit(&meter->counts[count], memory_order_relaxed);
}
