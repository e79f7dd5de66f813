/* One struct in the memory; each process maps it where it likes. */
#include "proxy/metrics/metrics_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rules/base/keyed_hash.h"

#define MAGIC 0x3154454d4e525450 /* "PTRNMET1" */
/* One more with every change of what lies in the memory. */
#define LAYOUT 2

static size_t octets(uint64_t capacity)
{
    return capacity == 1 ? sizeof(struct metrics_memory) : 0;
}

static const struct shared_memory_kind KIND = {
    "postern-metrics", MAGIC,
    (uint64_t)LAYOUT << 32 | sizeof(struct metrics_memory), octets};

/* --- the memory --- */

static struct metrics *fail(struct metrics *metrics)
{
    int error = errno;
    metrics_free(metrics);
    errno = error;
    return NULL;
}

static int init_locks(struct metrics_memory *at, bool is_shared)
{
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (robust_lock_init(&at->users[slot].lock, is_shared) != 0)
            return -1;
    if (robust_lock_init(&at->lock, is_shared) != 0 ||
        robust_lock_init(&at->shadow.lock, is_shared) != 0)
        return -1;
    return series_table_init(&at->series, is_shared);
}

static struct metrics *fill(struct metrics *metrics)
{
    struct metrics_memory *at = metrics->at = metrics->memory.at;
    if (getrandom(at->secret, sizeof at->secret, 0) !=
            (ssize_t)sizeof at->secret ||
        init_locks(at, metrics->memory.fd >= 0) != 0)
        return fail(metrics);
    return metrics;
}

static struct metrics *prepare(unsigned slot)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        return NULL;
    metrics->memory.fd = -1;
    metrics->slot = slot;
    return metrics;
}

struct metrics *metrics_new(void)
{
    struct metrics *metrics = prepare(0);
    if (metrics == NULL ||
        shared_memory_create_private(&metrics->memory, &KIND, 1) != 0)
        return fail(metrics);
    return fill(metrics);
}

struct metrics *metrics_create(unsigned slot)
{
    struct metrics *metrics = prepare(slot);
    if (metrics == NULL ||
        shared_memory_create(&metrics->memory, &KIND, 1) != 0)
        return fail(metrics);
    return fill(metrics);
}

struct metrics *metrics_attach(int fd, unsigned slot)
{
    struct metrics *metrics = prepare(slot);
    if (metrics == NULL)
        return NULL;
    int result = shared_memory_attach(&metrics->memory, &KIND, fd);
    if (result != 0) {
        int error = result == SHARED_MEMORY_FOREIGN ? 0 : errno;
        metrics_free(metrics);
        errno = error;
        return NULL;
    }
    metrics->at = metrics->memory.at;
    metrics_forget(metrics, slot);
    return metrics;
}

int metrics_memory(const struct metrics *metrics)
{
    return metrics->memory.fd;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    shared_memory_close(&metrics->memory);
    free(metrics);
}

static void set(_Atomic uint64_t *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void add(_Atomic uint64_t *number, uint64_t amount)
{
    atomic_fetch_add_explicit(number, amount, memory_order_relaxed);
}

void metrics_forget(struct metrics *metrics, unsigned slot)
{
    for (size_t i = 0; i < METRICS_ROWS; i++) {
        struct metrics_now *now = &metrics->at->now[slot][i];
        set(&now->lag_us, 0);
        set(&now->held, 0);
        atomic_store(&now->has_store, false);
        set(&now->max_us[0], 0);
        set(&now->max_us[1], 0);
    }
    for (size_t i = 0; i < METRICS_SERVERS;
         i = metrics_server_behind(metrics->at, i)) {
        set(&metrics->at->servers[i].in_use[slot], 0);
        set(&metrics->at->servers[i].idle[slot], 0);
    }
}

/* --- counting --- */

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
        add(&lane->row->counts[metric], amount);
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

/* What a process that died was changing begins anew. */
static void lock_users(struct metrics_users *users)
{
    if (robust_lock_take(&users->lock, LOCK_TO_CHANGE))
        return;
    memset(&users->top, 0, sizeof users->top);
    robust_lock_mended(&users->lock);
}

void metrics_add_use(struct metrics_lane *lane, const struct top_use *use,
                     uint64_t us)
{
    if (lane == NULL)
        return;
    struct metrics_memory *at = lane->metrics->at;
    struct metrics_users *users = &at->users[lane->metrics->slot];
    struct top_use named = *use;
    named.hash = keyed_hash(at->secret, use->name) | 1;
    atomic_store_explicit(&at->has_users[lane->metrics->slot], true,
                          memory_order_relaxed);
    lock_users(users);
    top_users_add(&users->top, metrics_minute_of(us), &named);
    robust_lock_release(&users->lock);
}

void metrics_tell_lag(struct metrics_lane *lane, uint64_t lag_us, uint64_t us)
{
    if (lane == NULL)
        return;
    struct metrics_now *now = lane->now;
    uint64_t minute = metrics_minute_of(us);
    size_t turn = (size_t)(minute % 2);
    set(&now->lag_us, lag_us);
    if (get(&now->max_minutes[turn]) != minute) {
        set(&now->max_us[turn], 0);
        set(&now->max_minutes[turn], minute);
    }
    if (lag_us > get(&now->max_us[turn]))
        set(&now->max_us[turn], lag_us);
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
        set(&lane->now->held, octets_held);
}

_Atomic uint64_t *metrics_common(struct metrics *metrics,
                                 enum metric_common number)
{
    return &metrics->at->common[number];
}

void metrics_add_common(struct metrics *metrics, enum metric_common number)
{
    if (metrics != NULL)
        add(&metrics->at->common[number], 1);
}

void metrics_set_common(struct metrics *metrics, enum metric_common number,
                        uint64_t value)
{
    set(&metrics->at->common[number], value);
}

/* --- shadow --- */

static void lock_shadow(struct metrics_shadow *shadow)
{
    if (robust_lock_take(&shadow->lock, LOCK_TO_CHANGE))
        return;
    memset(shadow->notes, 0, sizeof shadow->notes);
    shadow->count = 0;
    robust_lock_mended(&shadow->lock);
}

void metrics_note_shadow(struct metrics_lane *lane,
                         const struct shadow_note *note)
{
    if (lane == NULL)
        return;
    struct metrics_shadow *shadow = &lane->metrics->at->shadow;
    lock_shadow(shadow);
    shadow->notes[shadow->count++ % SHADOW_NOTES] = *note;
    robust_lock_release(&shadow->lock);
}

size_t metrics_shadow_notes(struct metrics *metrics,
                            struct shadow_note out[SHADOW_NOTES])
{
    struct metrics_shadow *shadow = &metrics->at->shadow;
    lock_shadow(shadow);
    size_t count =
        shadow->count < SHADOW_NOTES ? (size_t)shadow->count : SHADOW_NOTES;
    for (size_t i = 0; i < count; i++)
        out[i] = shadow->notes[(shadow->count - 1 - i) % SHADOW_NOTES];
    robust_lock_release(&shadow->lock);
    return count;
}

/* --- reading --- */

uint64_t metrics_sum(const struct metrics *metrics, enum metric metric)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < METRICS_ROWS; i++)
        sum += get(&metrics->at->rows[i].counts[metric]);
    return sum;
}

uint64_t metrics_sum_common(const struct metrics *metrics,
                            enum metric_common number)
{
    return get(&metrics->at->common[number]);
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
    struct metrics_lag lag = {.last_us = get(&now->lag_us)};
    uint64_t minute = metrics_minute_of(us);
    for (size_t turn = 0; turn < 2; turn++)
        if (minute - get(&now->max_minutes[turn]) < 2)
            larger(&lag.max_us, get(&now->max_us[turn]));
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
            sum += get(&metrics->at->now[slot][i].held);
    return sum;
}

/* A copy, so that nobody who sends mail waits for who reads. */
static int add_users(struct metrics_users *users, struct top_users *copy,
                     uint64_t minute, struct top_sum *sum)
{
    lock_users(users);
    memcpy(copy, &users->top, sizeof *copy);
    robust_lock_release(&users->lock);
    return top_sum_add(sum, copy, minute);
}

int metrics_top_users(struct metrics *metrics, uint64_t minute,
                      struct top_sum *sum)
{
    struct top_users *copy = malloc(sizeof *copy);
    int result = copy == NULL ? -1 : 0;
    for (unsigned slot = 0; slot < SLOTS && result == 0; slot++)
        if (atomic_load(&metrics->at->has_users[slot]))
            result = add_users(&metrics->at->users[slot], copy, minute, sum);
    free(copy);
    if (result == 0)
        top_sum_finish(sum);
    return result;
}
