/* How long things took, in buckets with fixed borders. Open: it lies in memory
 * that is shared; zeros are empty. Thread-safe and without a lock: who reads
 * while others add may miss the last of them. */
#ifndef PROXY_METRICS_HISTOGRAM_H
#define PROXY_METRICS_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BORDERS 16

/* Upper borders in microseconds, ascending; what is above the last has a bucket
 * of its own. */
struct histogram_scale {
    uint64_t borders_us[HISTOGRAM_BORDERS];
};
/* Of what goes over the network: 0.5 ms to 10 minutes. Of what is worked out:
 * 5 us to 2 s. */
extern const struct histogram_scale histogram_scale_network;
extern const struct histogram_scale histogram_scale_work;

struct histogram {
    _Atomic uint64_t buckets[HISTOGRAM_BORDERS + 1];
    _Atomic uint64_t sum_us;
};

/* What was read: buckets each by itself. */
struct histogram_sum {
    uint64_t buckets[HISTOGRAM_BORDERS + 1];
    uint64_t count, sum_us;
};

void histogram_add(struct histogram *histogram,
                   const struct histogram_scale *scale, uint64_t us);
/* Adds to `sum`. */
void histogram_read(const struct histogram *histogram,
                    struct histogram_sum *sum);
/* Where so many of a hundred are at most; within a bucket as if they were
 * spread evenly. 0 when there are none; above the last border: that. */
double histogram_percentile_us(const struct histogram_sum *sum,
                               const struct histogram_scale *scale,
                               double percent);

/* Of the last ten minutes at most, five at least: two halves that take turns.
 */
struct recent_histogram {
    _Atomic uint64_t turns[2];
    struct histogram halves[2];
};
void recent_histogram_add(struct recent_histogram *recent,
                          const struct histogram_scale *scale, uint64_t minute,
                          uint64_t us);
void recent_histogram_read(const struct recent_histogram *recent,
                           uint64_t minute, struct histogram_sum *sum);

#endif
