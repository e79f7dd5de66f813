/* What a server does, at a glance: for the web page and `postern top`. Lists
 * are bounded: what is busiest comes first. */
#include "proxy/control/control_verbs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/log/log_time.h"
#include "proxy/metrics/metrics_text.h"

#define RULES_TOLD 50
#define USERS_TOLD 20
/* Whose budgets are told too: each costs a look at every rule. */
#define BUDGETS_TOLD 10

struct overview {
    const struct controlled *c;
    uint64_t wall_us, now_ms, minute;
};

static json_t *time_of(uint64_t us)
{
    char text[LOG_TIME_ROOM];
    size_t n = log_time_write(us, text);
    return json_stringn(text, n);
}

static json_t *integer(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static uint64_t sum(const struct overview *o, enum metric metric)
{
    return metrics_sum(o->c->metrics, metric);
}

static json_t *minutes_list(const uint64_t minutes[MINUTES])
{
    json_t *list = json_array();
    for (int i = 0; i < MINUTES; i++)
        json_array_append_new(list, integer(minutes[i]));
    return list;
}

/* --- sessions and mail --- */

static json_t *sessions_of(const struct overview *o)
{
    return json_pack("{s:o, s:o, s:o}", "open",
                     integer(connection_counts_total(o->c->connections)),
                     "total", integer(sum(o, METRIC_SESSIONS)), "max",
                     integer(o->c->settings->caps.connections));
}

static json_t *transactions_of(const struct overview *o)
{
    uint64_t accept = sum(o, METRIC_ACCEPTED);
    uint64_t reject = sum(o, METRIC_REJECTED);
    uint64_t defer = sum(o, METRIC_DEFERRED);
    uint64_t abort = sum(o, METRIC_ABORTED);
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "total",
                     integer(accept + reject + defer + abort), "accept",
                     integer(accept), "reject", integer(reject), "defer",
                     integer(defer), "abort", integer(abort));
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
        json_object_set_new(object, NAMES[i], minutes_list(minutes));
    }
    return object;
}

/* --- rules --- */

struct busy_rule {
    const struct series *series;
    uint64_t hour, total;
};

static int by_business(const void *a, const void *b)
{
    const struct busy_rule *one = a, *other = b;
    if (one->hour != other->hour)
        return one->hour < other->hour ? 1 : -1;
    if (one->total != other->total)
        return one->total < other->total ? 1 : -1;
    return one->series < other->series ? -1 : 1;
}

static size_t find_rules(const struct overview *o, struct busy_rule *rules,
                         size_t max)
{
    const struct series_table *table = metrics_series(o->c->metrics);
    const struct series *one;
    size_t at = 0, count = 0;
    while (count < max && (one = series_next(table, SERIES_RULES, &at)) != NULL)
        /* What followed from a limit that was exceeded is told by itself. */
        if (!str_equals(series_label(one, 1), STR("exceed")))
            rules[count++] = (struct busy_rule){
                one, minutes_sum(&one->minutes, o->minute), series_count(one)};
    qsort(rules, count, sizeof *rules, by_business);
    return count;
}

static json_t *rule_of(const struct overview *o, const struct busy_rule *rule)
{
    uint64_t minutes[MINUTES] = {0};
    minutes_read(&rule->series->minutes, o->minute, minutes);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "stage",
                     control_text(series_label(rule->series, 0)), "did",
                     control_text(series_label(rule->series, 1)), "rule",
                     control_text(series_label(rule->series, 2)), "hour",
                     integer(rule->hour), "total", integer(rule->total),
                     "minutes", minutes_list(minutes));
}

static json_t *rules_of(const struct overview *o)
{
    size_t max = series_shapes[SERIES_RULES].rows;
    struct busy_rule *rules = calloc(max, sizeof *rules);
    json_t *list = json_array();
    size_t count = rules == NULL ? 0 : find_rules(o, rules, max);
    for (size_t i = 0; i < count && i < RULES_TOLD; i++)
        json_array_append_new(list, rule_of(o, &rules[i]));
    free(rules);
    return list;
}

/* --- users --- */

/* As `postern limits USER` tells them. NULL: the store can't be asked. */
static json_t *budgets_of(const struct overview *o, json_t *user)
{
    json_t *request = json_pack("{s:O}", "key", user);
    json_t *reply = verb_limits((void *)(uintptr_t)o->c, request);
    json_t *budgets = json_incref(json_object_get(reply, "limits"));
    json_decref(reply);
    json_decref(request);
    return budgets;
}

/* *has_budgets: whether they are to be told; a store that does not answer is
 * not asked again, for each time costs seconds. */
static json_t *user_of(const struct overview *o, const struct top_user *user,
                       bool *has_budgets)
{
    json_t *name = control_text(str_span(user->name, user->name_length));
    json_t *budgets = *has_budgets ? budgets_of(o, name) : NULL;
    *has_budgets = budgets != NULL;
    if (budgets == NULL)
        budgets = json_array();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "user", name, "messages",
                     integer(user->messages), "recipients",
                     integer(user->recipients), "refused",
                     integer(user->refused), "budgets", budgets);
}

static json_t *users_of(const struct overview *o)
{
    struct top_sum users;
    json_t *list = json_array();
    bool has_budgets = o->c->settings->limits.store == STORE_MEMORY ||
                       metrics_has_store(o->c->metrics, o->c->workers);
    top_sum_init(&users);
    (void)metrics_top_users(o->c->metrics, o->minute, &users);
    for (size_t i = 0; i < users.count && i < USERS_TOLD; i++) {
        has_budgets = has_budgets && i < BUDGETS_TOLD;
        json_array_append_new(list, user_of(o, &users.users[i], &has_budgets));
    }
    top_sum_release(&users);
    return list;
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
        control_text(str_from(health.fault)), "in_use", integer(server.in_use),
        "idle", integer(server.idle), "opened", integer(server.opened),
        "failed", integer(server.failed), "latency_ms", "p50",
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
                     integer(sum(o, METRIC_SHADOW)), "recent", recent);
}

static json_t *log_of(const struct overview *o)
{
    const struct metrics *metrics = o->c->metrics;
    return json_pack("{s:o, s:o}", "lines",
                     integer(metrics_sum_common(metrics, METRIC_LOG_LINES)),
                     "lost",
                     integer(metrics_sum_common(metrics, METRIC_LOG_LOST)));
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
    return json_pack("{s:s, s:b, s:o, s:f, s:f}", "kind", "redis", "up",
                     metrics_has_store(metrics, o->c->workers), "unanswered",
                     integer(counts[STORE_AWAY] + counts[STORE_FULL] +
                             counts[STORE_LATE] + counts[STORE_BROKEN]),
                     "p50_ms", store_ms(&latency, 50), "p99_ms",
                     store_ms(&latency, 99));
}

static json_t *processes_of(const struct overview *o)
{
    const struct metrics *metrics = o->c->metrics;
    return json_pack("{s:o, s:o}", "starts",
                     integer(metrics_sum_common(metrics, METRIC_STARTS)),
                     "crashes",
                     integer(metrics_sum_common(metrics, METRIC_CRASHES)));
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
        integer((o.now_ms - o.c->started_ms) / 1000), "sessions",
        sessions_of(&o), "transactions", transactions_of(&o), "minutes",
        minutes_of(&o), "rules", rules_of(&o), "users", users_of(&o),
        "upstreams", upstreams_of(&o), "shadow", shadow_of(&o), "log",
        log_of(&o), "memory_bytes", integer(control_memory_octets(o.c)),
        "loop_lag_ms", lag_of(&o), "processes", processes_of(&o), "store",
        store_of(&o));
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
