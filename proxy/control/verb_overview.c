/* What a server does, at a glance: for the web page and `postern top`. */
#include "proxy/control/control_verbs.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/log/log_time.h"
#include "proxy/metrics/metrics_text.h"

#define MINUTES 60

static json_t *time_now(void)
{
    struct timespec now;
    char text[LOG_TIME_ROOM];
    clock_gettime(CLOCK_REALTIME, &now);
    size_t n = log_time_write(
        (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, text);
    return json_stringn(text, n);
}

static json_t *sessions_of(const struct controlled *c)
{
    return json_pack("{s:I, s:I, s:I}", "open",
                     (json_int_t)connection_counts_total(c->connections),
                     "total", (json_int_t)0, "max",
                     (json_int_t)c->settings->caps.connections);
}

static json_t *no_minutes(void)
{
    json_t *list = json_array();
    for (int i = 0; i < MINUTES; i++)
        json_array_append_new(list, json_integer(0));
    return list;
}

static json_t *server_of(const struct controlled *c,
                         const struct upstream_settings *upstream,
                         size_t server)
{
    struct health_sum sum;
    health_board_sum(c->health, upstream->index, server, &sum);
    return json_pack("{s:o, s:o, s:b, s:s, s:o, s:I, s:I, s:{s:f, s:f}}",
                     "upstream", control_text(upstream->name), "server",
                     control_text(upstream->servers[server].text), "up",
                     sum.up > 0 && sum.down == 0, "since", "", "error",
                     control_text(str_from(sum.fault)), "in_use", (json_int_t)0,
                     "idle", (json_int_t)0, "latency_ms", "p50", 0.0, "p99",
                     0.0);
}

static json_t *upstreams_of(const struct controlled *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->settings->upstream_count; i++) {
        const struct upstream_settings *upstream = &c->settings->upstreams[i];
        for (size_t j = 0;
             upstream->maildir == NULL && j < upstream->server_count; j++)
            json_array_append_new(list, server_of(c, upstream, j));
    }
    return list;
}

json_t *verb_overview(void *owner, const json_t *request)
{
    const struct controlled *c = owner;
    const struct settings *policy = snapshots_newest(c->snapshots);
    (void)request;
    json_t *reply = json_pack(
        "{s:b, s:o, s:o, s:s, s:s, s:I, s:o, s:{s:I, s:I, s:I, s:I}, "
        "s:{s:o, s:o, s:o}, s:[], s:[], s:o, s:{s:I, s:[]}, s:{s:I, s:I}, "
        "s:I, s:{s:f, s:f}, s:{s:s}}",
        "ok", 1, "time", time_now(), "hostname",
        control_text(c->settings->hostname), "version", POSTERN_VERSION,
        "policy", policy->policy_digest, "uptime_s",
        (json_int_t)((control_now_ms() - c->started_ms) / 1000), "sessions",
        sessions_of(c), "transactions", "total", (json_int_t)0, "accept",
        (json_int_t)0, "reject", (json_int_t)0, "defer", (json_int_t)0,
        "minutes", "accept", no_minutes(), "reject", no_minutes(), "defer",
        no_minutes(), "rules", "users", "upstreams", upstreams_of(c), "shadow",
        "differences", (json_int_t)0, "recent", "log", "lines", (json_int_t)0,
        "lost", (json_int_t)0, "memory_bytes", (json_int_t)0, "loop_lag_ms",
        "last", 0.0, "max", 0.0, "store", "kind", "memory");
    settings_unref(policy);
    return reply;
}

json_t *verb_metrics(void *owner, const json_t *request)
{
    size_t octets;
    char *text = metrics_text(owner, &octets);
    (void)request;
    if (text == NULL)
        return control_refusal("no memory");
    json_t *reply = json_pack("{s:b, s:s%}", "ok", 1, "text", text, octets);
    free(text);
    return reply;
}
