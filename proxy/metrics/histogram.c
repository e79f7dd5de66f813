#include "proxy/metrics/histogram.h"

#define TURN_MINUTES 5
#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

const struct histogram_scale histogram_scale_network = {
    {500, 1 * MS, 2500, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS,
     500 * MS, 1 * SECOND, 2500 * MS, 10 * SECOND, 30 * SECOND, 120 * SECOND,
     600 * SECOND}};

const struct histogram_scale histogram_scale_work = {
    {5, 10, 20, 50, 100, 200, 500, 1 * MS, 2 * MS, 5 * MS, 10 * MS, 25 * MS,
     100 * MS, 250 * MS, 1 * SECOND, 2 * SECOND}};

static void add(_Atomic uint64_t *number, uint64_t amount)
{
    atomic_fetch_add_explicit(number, amount, memory_order_relaxed);
}

void histogram_add(struct histogram *histogram,
                   const struct histogram_scale *scale, uint64_t us)
{
    size_t i = 0;
    while (i < HISTOGRAM_BORDERS && us > scale->borders_us[i])
        i++;
    add(&histogram->buckets[i], 1);
    add(&histogram->sum_us, us);
}

void histogram_read(const struct histogram *histogram,
                    struct histogram_sum *sum)
{
    for (size_t i = 0; i <= HISTOGRAM_BORDERS; i++) {
        uint64_t count =
            atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        sum->buckets[i] += count;
        sum->count += count;
    }
    sum->sum_us +=
        atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
}

double histogram_percentile_us(const struct histogram_sum *sum,
                               const struct histogram_scale *scale,
                               double percent)
{
    double wanted = (double)sum->count * percent / 100.0;
    double before = 0.0, lower = 0.0;
    if (sum->count == 0)
        return 0.0;
    for (size_t i = 0; i < HISTOGRAM_BORDERS; i++) {
        double upper = (double)scale->borders_us[i];
        double here = (double)sum->buckets[i];
        if (here > 0.0 && before + here >= wanted)
            return lower + (upper - lower) * (wanted - before) / here;
        before += here;
        lower = upper;
    }
    return lower;
}

/* Whoever comes first in a turn empties the half; what others add meanwhile
 * may be lost, which is a few of many. */
static void begin_turn(struct recent_histogram *recent, uint64_t turn)
{
    _Atomic uint64_t *mark = &recent->turns[turn % 2];
    struct histogram *half = &recent->halves[turn % 2];
    uint64_t seen = atomic_load_explicit(mark, memory_order_relaxed);
    if (seen == turn || !atomic_compare_exchange_strong(mark, &seen, turn))
        return;
    for (size_t i = 0; i <= HISTOGRAM_BORDERS; i++)
        atomic_store_explicit(&half->buckets[i], 0, memory_order_relaxed);
    atomic_store_explicit(&half->sum_us, 0, memory_order_relaxed);
}

void recent_histogram_add(struct recent_histogram *recent,
                          const struct histogram_scale *scale, uint64_t minute,
                          uint64_t us)
{
    uint64_t turn = minute / TURN_MINUTES;
    begin_turn(recent, turn);
    histogram_add(&recent->halves[turn % 2], scale, us);
}

void recent_histogram_read(const struct recent_histogram *recent,
                           uint64_t minute, struct histogram_sum *sum)
{
    uint64_t turn = minute / TURN_MINUTES;
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t seen = atomic_load_explicit(&recent->turns[(turn - i) % 2],
                                             memory_order_relaxed);
        if (seen == turn - i)
            histogram_read(&recent->halves[(turn - i) % 2], sum);
    }
}
