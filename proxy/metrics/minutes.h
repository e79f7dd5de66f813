/* How often something happened in each of the last sixty minutes. Open: it
 * lies in memory that is shared; zeros are no event at all. The minute is
 * passed in, of any clock that all share. Thread-safe and without a lock: an
 * event at the border of two minutes counts in one of them. */
#ifndef PROXY_METRICS_MINUTES_H
#define PROXY_METRICS_MINUTES_H

#include <stdatomic.h>
#include <stdint.h>

#define MINUTES 60
#define MINUTES_PLACES 64 /* a power of two above that */

/* The minute above, its count in the lower half. */
struct minutes {
    _Atomic uint64_t places[MINUTES_PLACES];
};

void minutes_add(struct minutes *minutes, uint64_t minute, uint64_t amount);
/* Adds what there is to `out`, the oldest first; the last is `minute`. */
void minutes_read(const struct minutes *minutes, uint64_t minute,
                  uint64_t out[MINUTES]);
uint64_t minutes_sum(const struct minutes *minutes, uint64_t minute);

#endif
