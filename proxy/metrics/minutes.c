#include "proxy/metrics/minutes.h"

#define COUNT_BITS 32
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static uint64_t minute_of(uint64_t place)
{
    return place >> COUNT_BITS;
}

/* Minutes since 1970 take 25 bits. */
static uint64_t tagged(uint64_t minute, uint64_t amount)
{
    return minute << COUNT_BITS | (amount & COUNT_MASK);
}

void minutes_add(struct minutes *minutes, uint64_t minute, uint64_t amount)
{
    _Atomic uint64_t *place = &minutes->places[minute % MINUTES_PLACES];
    minute &= COUNT_MASK;
    uint64_t seen = atomic_load_explicit(place, memory_order_relaxed);
    for (;;) {
        uint64_t wanted = minute_of(seen) == minute
                              ? tagged(minute, (seen & COUNT_MASK) + amount)
                              : tagged(minute, amount);
        if (atomic_compare_exchange_weak_explicit(place, &seen, wanted,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
            return;
    }
}

void minutes_read(const struct minutes *minutes, uint64_t minute,
                  uint64_t out[MINUTES])
{
    for (uint64_t i = 0; i < MINUTES; i++) {
        uint64_t wanted = (minute - (MINUTES - 1) + i) & COUNT_MASK;
        uint64_t seen = atomic_load_explicit(
            &minutes->places[wanted % MINUTES_PLACES], memory_order_relaxed);
        if (minute_of(seen) == wanted)
            out[i] += seen & COUNT_MASK;
    }
}

uint64_t minutes_sum(const struct minutes *minutes, uint64_t minute)
{
    uint64_t each[MINUTES] = {0}, sum = 0;
    minutes_read(minutes, minute, each);
    for (int i = 0; i < MINUTES; i++)
        sum += each[i];
    return sum;
}
