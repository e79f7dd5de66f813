/* What is counted of servers of upstreams. */
#include "proxy/metrics/metrics_internal.h"

#include <string.h>

static bool is_there(const struct metrics_server *server)
{
    return atomic_load_explicit(&server->is_there, memory_order_acquire);
}

size_t metrics_server_behind(const struct metrics_memory *at, size_t number)
{
    const size_t last = METRICS_SERVERS - 1;
    return number >= last || is_there(&at->servers[number]) ? number + 1 : last;
}

static struct str upstream_of(const struct metrics_server *server)
{
    return str_span(server->text, server->upstream_length);
}

static struct str server_of(const struct metrics_server *server)
{
    return str_span(server->text + server->upstream_length,
                    server->server_length);
}

/* The first places of the memory are taken, one behind the other. */
static struct metrics_server *find(struct metrics_memory *at,
                                   struct str upstream, struct str server)
{
    for (size_t i = 0; i < METRICS_SERVERS - 1; i++) {
        struct metrics_server *one = &at->servers[i];
        if (!is_there(one) || (str_equals(upstream_of(one), upstream) &&
                               str_equals(server_of(one), server)))
            return one;
    }
    return &at->servers[METRICS_SERVERS - 1];
}

static void name(struct metrics_server *one, struct str upstream,
                 struct str server)
{
    one->upstream_length = (uint8_t)upstream.n;
    one->server_length = (uint8_t)server.n;
    memcpy(one->text, upstream.p, upstream.n);
    memcpy(one->text + upstream.n, server.p, server.n);
    atomic_store_explicit(&one->is_there, true, memory_order_release);
}

struct metrics_server *metrics_server(struct metrics_lane *lane,
                                      struct str upstream, struct str server)
{
    if (lane == NULL)
        return NULL;
    struct metrics_memory *at = lane->metrics->at;
    upstream = str_head(upstream, METRICS_SERVER_TEXT / 2);
    server = str_head(server, METRICS_SERVER_TEXT / 2);
    if (!robust_lock_take(&at->lock, LOCK_TO_CHANGE))
        robust_lock_mended(&at->lock);
    struct metrics_server *one = find(at, upstream, server);
    bool is_last = one == &at->servers[METRICS_SERVERS - 1];
    if (!is_there(one))
        name(one, is_last ? STR("other") : upstream,
             is_last ? STR("other") : server);
    robust_lock_release(&at->lock);
    return one;
}

void metrics_server_opened(struct metrics_server *server)
{
    if (server != NULL)
        metrics_count(&server->opened, 1);
}

void metrics_server_failed(struct metrics_server *server)
{
    if (server != NULL)
        metrics_count(&server->failed, 1);
}

void metrics_server_took(struct metrics_server *server,
                         enum metric_latency what, uint64_t us,
                         uint64_t wall_us)
{
    if (server == NULL)
        return;
    histogram_add(&server->latency[what], &histogram_scale_network, us);
    if (what == LATENCY_END)
        recent_histogram_add(&server->recent_end, &histogram_scale_network,
                             metrics_minute_of(wall_us), us);
}

/* Threads of one process share a place: each adds what has changed. */
void metrics_server_tell(struct metrics_lane *lane,
                         struct metrics_server *server,
                         struct metrics_pool *told, struct metrics_pool now)
{
    if (lane == NULL || server == NULL)
        return;
    unsigned slot = lane->metrics->slot;
    metrics_count(&server->in_use[slot], now.in_use - told->in_use);
    metrics_count(&server->idle[slot], now.idle - told->idle);
    *told = now;
}

static uint64_t sum_of(const _Atomic uint64_t numbers[SLOTS])
{
    uint64_t sum = 0;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        sum += metrics_get(&numbers[slot]);
    return sum;
}

bool metrics_server_next(const struct metrics *metrics, size_t *at,
                         uint64_t minute, struct metrics_server_sum *sum)
{
    while (*at < METRICS_SERVERS) {
        const struct metrics_server *one = &metrics->at->servers[*at];
        *at = metrics_server_behind(metrics->at, *at);
        if (!is_there(one))
            continue;
        *sum = (struct metrics_server_sum){
            .upstream = upstream_of(one),
            .server = server_of(one),
            .opened = atomic_load(&one->opened),
            .failed = atomic_load(&one->failed),
            .in_use = sum_of(one->in_use),
            .idle = sum_of(one->idle),
        };
        for (size_t i = 0; i < LATENCY_COUNT; i++)
            histogram_read(&one->latency[i], &sum->latency[i]);
        recent_histogram_read(&one->recent_end, minute, &sum->recent_end);
        return true;
    }
    return false;
}
