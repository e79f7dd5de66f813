/* What a server does, at a glance: for the web page and `postern top`. Lists
 * are bounded: what is busiest comes first. */
#include "proxy/control/verb_overview_internal.h"

#include <time.h>

#include "proxy/log/log_time.h"

static json_t *time_of(uint64_t us)
{
    char text[LOG_TIME_ROOM];
    size_t n = log_time_write(us, text);
    return json_stringn(text, n);
}

json_t *overview_integer(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static uint64_t sum(const struct overview *o, enum metric metric)
{
    return metrics_sum(o->c->metrics, metric);
}

json_t *overview_minute_list(const uint64_t minutes[MINUTES])
{
    json_t *list = json_array();
    for (int i = 0; i < MINUTES; i++)
        json_array_append_new(list, overview_integer(minutes[i]));
    return list;
}

/* --- sessions and mail --- */

static json_t *sessions_of(const struct overview *o)
{
    return json_pack(
        "{s:o, s:o, s:o}", "open",
        overview_integer(connection_counts_total(o->c->connections)), "total",
        overview_integer(sum(o, METRIC_SESSIONS)), "max",
        overview_integer(o->c->settings->caps.connections));
}

static json_t *transactions_of(const struct overview *o)
{
    uint64_t accept = sum(o, METRIC_ACCEPTED);
    uint64_t reject = sum(o, METRIC_REJECTED);
    uint64_t defer = sum(o, METRIC_DEFERRED);
    uint64_t abort = sum(o, METRIC_ABORTED);
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "total",
                     overview_integer(accept + reject + defer + abort),
                     "accept", overview_integer(accept), "reject",
                     overview_integer(reject), "defer", overview_integer(defer),
                     "abort", overview_integer(abort));
}

static json_t *minutes_of(const struct overview *o)
{
    static const char *const NAMES[MINUTES_COUNT] = {
        [MINUTES_ACCEPT] = "accept",
        [MINUTES_REJECT] = "reject",
        [MINUTES_DEFER] = "defer",
        [MINUTES_CLOSE] = "close",
    };
    json_t *object = json_object();
    for (enum metric_minutes i = 0; i < MINUTES_COUNT; i++) {
        uint64_t minutes[MINUTES] = {0};
        metrics_minutes(o->c->metrics, i, o->minute, minutes);
        json_object_set_new(object, NAMES[i], overview_minute_list(minutes));
    }
    return object;
}

/* --- upstreams --- */

static void find_server(const struct overview *o,
                        const struct upstream_settings *upstream, size_t server,
                        struct metrics_server_sum *found)
{
    size_t at = 0;
    while (metrics_server_next(o->c->metrics, &at, o->minute, found))
        if (str_equals(found->upstream, upstream->name) &&
            str_equals(found->server, upstream->servers[server].text))
            return;
    *found = (struct metrics_server_sum){0};
}

static json_t *since(const struct overview *o, const struct health_sum *health)
{
    if (health->since_ms == 0)
        return json_string("");
    uint64_t ago_ms =
        o->now_ms > health->since_ms ? o->now_ms - health->since_ms : 0;
    return time_of(o->wall_us - ago_ms * 1000);
}

static double percentile_ms(const struct metrics_server_sum *server,
                            double percent)
{
    return histogram_percentile_us(&server->recent_end,
                                   &histogram_scale_network, percent) /
           1000.0;
}

static json_t *server_of(const struct overview *o,
                         const struct upstream_settings *upstream,
                         size_t number)
{
    struct health_sum health;
    struct metrics_server_sum server;
    health_board_sum(o->c->health, upstream->index, number, &health);
    find_server(o, upstream, number, &server);
    return json_pack(
        "{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:f, s:f}}",
        "upstream", control_text(upstream->name), "server",
        control_text(upstream->servers[number].text), "up",
        health.up > 0 && health.down == 0, "since", since(o, &health), "error",
        control_text(str_from(health.fault)), "in_use",
        overview_integer(server.in_use), "idle", overview_integer(server.idle),
        "opened", overview_integer(server.opened), "failed",
        overview_integer(server.failed), "latency_ms", "p50",
        percentile_ms(&server, 50.0), "p99", percentile_ms(&server, 99.0));
}

static json_t *upstreams_of(const struct overview *o)
{
    const struct settings *settings = o->c->settings;
    json_t *list = json_array();
    for (size_t i = 0; i < settings->upstream_count; i++) {
        const struct upstream_settings *upstream = &settings->upstreams[i];
        for (size_t j = 0;
             upstream->maildir == NULL && j < upstream->server_count; j++)
            json_array_append_new(list, server_of(o, upstream, j));
    }
    return list;
}

/* --- the rest --- */

static json_t *shadow_of(const struct overview *o)
{
    struct shadow_note notes[SHADOW_NOTES];
    json_t *recent = json_array();
    size_t count = metrics_shadow_notes(o->c->metrics, notes);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            recent,
            json_pack("{s:o, s:o, s:o, s:o, s:o}", "time", time_of(notes[i].us),
                      "id", control_text(str_from(notes[i].id)), "live",
                      control_text(str_from(notes[i].live)), "shadow",
                      control_text(str_from(notes[i].shadow)), "rule",
                      control_text(str_from(notes[i].rule))));
    return json_pack("{s:o, s:o}", "differences",
                     overview_integer(sum(o, METRIC_SHADOW)), "recent", recent);
}

static json_t *log_of(const struct overview *o)
{
    const struct metrics *metrics = o->c->metrics;
    return json_pack(
        "{s:o, s:o}", "lines",
        overview_integer(metrics_sum_common(metrics, METRIC_LOG_LINES)), "lost",
        overview_integer(metrics_sum_common(metrics, METRIC_LOG_LOST)));
}

static json_t *lag_of(const struct overview *o)
{
    struct metrics_lag lag = metrics_lag(o->c->metrics, o->wall_us);
    return json_pack("{s:f, s:f}", "last", (double)lag.last_us / 1000.0, "max",
                     (double)lag.max_us / 1000.0);
}

static double store_ms(const struct histogram_sum *latency, double percent)
{
    return histogram_percentile_us(latency, &histogram_scale_work, percent) /
           1000.0;
}

static json_t *store_of(const struct overview *o)
{
    const struct metrics *metrics = o->c->metrics;
    uint64_t counts[STORE_COUNTS] = {0};
    struct histogram_sum latency = {0};
    if (o->c->settings->limits.store == STORE_MEMORY)
        return json_pack("{s:s}", "kind", "memory");
    metrics_store(metrics, counts, &latency);
    return json_pack(
        "{s:s, s:b, s:o, s:f, s:f}", "kind", "redis", "up",
        metrics_has_store(metrics, o->c->workers), "unanswered",
        overview_integer(counts[STORE_AWAY] + counts[STORE_FULL] +
                         counts[STORE_LATE] + counts[STORE_BROKEN]),
        "p50_ms", store_ms(&latency, 50), "p99_ms", store_ms(&latency, 99));
}

static json_t *processes_of(const struct overview *o)
{
    const struct metrics *metrics = o->c->metrics;
    return json_pack(
        "{s:o, s:o}", "starts",
        overview_integer(metrics_sum_common(metrics, METRIC_STARTS)), "crashes",
        overview_integer(metrics_sum_common(metrics, METRIC_CRASHES)));
}

static struct overview begin(const struct controlled *c)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t wall_us =
        (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return (struct overview){.c = c,
                             .wall_us = wall_us,
                             .now_ms = control_now_ms(),
                             .minute = metrics_minute_of(wall_us)};
}

json_t *verb_overview(void *owner, const json_t *request)
{
    const struct overview o = begin(owner);
    const struct settings *policy = snapshots_newest(o.c->snapshots);
    (void)request;
    json_t *reply = json_pack(
        "{s:b, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:o}",
        "ok", 1, "time", time_of(o.wall_us), "hostname",
        control_text(o.c->settings->hostname), "version", POSTERN_VERSION,
        "policy", policy->policy_digest, "uptime_s",
        overview_integer((o.now_ms - o.c->started_ms) / 1000), "sessions",
        sessions_of(&o), "transactions", transactions_of(&o), "minutes",
        minutes_of(&o), "rules", overview_rules(&o), "users",
        overview_users(&o), "upstreams", upstreams_of(&o), "shadow",
        shadow_of(&o), "log", log_of(&o), "memory_bytes",
        overview_integer(control_memory_octets(o.c)), "loop_lag_ms", lag_of(&o),
        "processes", processes_of(&o), "store", store_of(&o));
    settings_unref(policy);
    return reply;
}
