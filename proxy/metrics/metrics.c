/* One struct in the memory; each process maps it where it likes. */
#include "proxy/metrics/metrics_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

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

void metrics_forget(struct metrics *metrics, unsigned slot)
{
    for (size_t i = 0; i < METRICS_ROWS; i++) {
        struct metrics_now *now = &metrics->at->now[slot][i];
        metrics_put(&now->lag_us, 0);
        metrics_put(&now->held, 0);
        atomic_store(&now->has_store, false);
        metrics_put(&now->max_us[0], 0);
        metrics_put(&now->max_us[1], 0);
    }
    for (size_t i = 0; i < METRICS_SERVERS;
         i = metrics_server_behind(metrics->at, i)) {
        metrics_put(&metrics->at->servers[i].in_use[slot], 0);
        metrics_put(&metrics->at->servers[i].idle[slot], 0);
    }
}
