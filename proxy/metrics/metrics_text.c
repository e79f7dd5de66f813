/* One function a group of families, in the order in which they are told. */
#include "proxy/metrics/metrics_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/control/control_verbs.h"
#include "proxy/metrics/prometheus.h"

#define US 1000000.0
/* Users that have a name here. */
#define USERS_TOLD 20

struct text {
    FILE *to;
    const struct controlled *c;
    uint64_t wall_us;
};

static void number(const struct text *t, const char *name, const char *type,
                   const char *help, double value)
{
    prometheus_family(t->to, name, type, help);
    prometheus_number(t->to, name, NULL, 0, value);
}

static void count(const struct text *t, const char *name, const char *type,
                  const char *help, uint64_t value)
{
    prometheus_family(t->to, name, type, help);
    prometheus_count(t->to, name, NULL, 0, value);
}

/* --- the server --- */

static void put_process(const struct text *t)
{
    const struct controlled *c = t->c;
    const struct settings *policy = snapshots_newest(c->snapshots);
    const struct prometheus_label labels[] = {
        {"version", STR(POSTERN_VERSION)},
        {"policy", str_from(policy->policy_digest)}};
    double up_s = (double)(control_now_ms() - c->started_ms) / 1000.0;
    prometheus_family(t->to, "postern_build_info", "gauge",
                      "The program and the policy that it goes by; always 1.");
    prometheus_count(t->to, "postern_build_info", labels, 2, 1);
    settings_unref(policy);
    number(t, "postern_start_time_seconds", "gauge",
           "When the server was started, since 1970.",
           (double)t->wall_us / US - up_s);
    number(t, "postern_uptime_seconds", "gauge",
           "Since the server was started.", up_s);
    count(t, "postern_worker_starts_total", "counter",
          "Worker processes that were started.",
          metrics_sum_common(c->metrics, METRIC_STARTS));
    count(t, "postern_worker_crashes_total", "counter",
          "Worker processes that ended without having been told to.",
          metrics_sum_common(c->metrics, METRIC_CRASHES));
    count(t, "postern_memory_bytes", "gauge",
          "Resident memory of the worker process that serves.",
          control_memory_octets(c));
}

static void put_reloads(const struct text *t)
{
    static const char NAME[] = "postern_reloads_total";
    static const struct {
        enum metric_common number;
        struct str result;
    } ROWS[] = {{METRIC_RELOADS, STR_INIT("accept")},
                {METRIC_RELOADS_REFUSED, STR_INIT("reject")}};
    prometheus_family(t->to, NAME, "counter",
                      "Reloads, asked for or by a file that changed.");
    for (size_t i = 0; i < 2; i++) {
        const struct prometheus_label label = {"verdict", ROWS[i].result};
        prometheus_count(t->to, NAME, &label, 1,
                         metrics_sum_common(t->c->metrics, ROWS[i].number));
    }
}

static void put_certificates(const struct text *t)
{
    static const char NAME[] = "postern_certificate_not_after_seconds";
    const struct tls_settings *tls = &t->c->settings->tls;
    int64_t end;
    prometheus_family(t->to, NAME, "gauge",
                      "When a certificate ends, since 1970.");
    for (size_t i = 0; t->c->certificates != NULL && i < tls->certificate_count;
         i++) {
        const struct prometheus_label label = {
            "chain", str_from(tls->certificates[i].chain)};
        if (certificate_dates_end(t->c->certificates, i, &end) == 0)
            prometheus_number(t->to, NAME, &label, 1, (double)end);
    }
}

/* --- names that come up --- */

static void put_series(const struct text *t, enum series_family family,
                       const char *name, const char *help,
                       const char *const labels[])
{
    const struct series_table *table = metrics_series(t->c->metrics);
    struct prometheus_label named[SERIES_LABELS_MAX];
    size_t at = 0, n = series_shapes[family].labels;
    const struct series *one;
    prometheus_family(t->to, name, "counter", help);
    while ((one = series_next(table, family, &at)) != NULL) {
        for (size_t i = 0; i < n; i++)
            named[i] =
                (struct prometheus_label){labels[i], series_label(one, i)};
        prometheus_count(t->to, name, named, n, series_count(one));
    }
}

static void put_sessions(const struct text *t)
{
    const struct controlled *c = t->c;
    count(t, "postern_sessions_open", "gauge",
          "Connections of clients, in all processes.",
          connection_counts_total(c->connections));
    count(t, "postern_sessions_max", "gauge", "caps.connections.",
          c->settings->caps.connections);
    count(t, "postern_sessions_total", "counter", "Sessions that began.",
          metrics_sum(c->metrics, METRIC_SESSIONS));
    put_series(t, SERIES_ENDS, "postern_sessions_ended_total",
               "Sessions that ended, and how.", (const char *const[]){"end"});
    count(t, "postern_sessions_held_bytes", "gauge",
          "Octets that sessions hold, but for buffers of TLS; up to ten "
          "seconds old.",
          metrics_held(c->metrics));
    put_series(t, SERIES_HANDSHAKES, "postern_tls_handshakes_total",
               "Handshakes with clients: a version of TLS, or failed.",
               (const char *const[]){"result"});
    put_series(t, SERIES_LOGINS, "postern_logins_total",
               "Logins by result and mechanism.",
               (const char *const[]){"result", "mechanism"});
    put_series(t, SERIES_CAPS, "postern_caps_crossed_total",
               "Sessions that crossed a cap or a deadline, by its key.",
               (const char *const[]){"cap"});
}

/* --- mail --- */

static void put_transactions(const struct text *t)
{
    static const char NAME[] = "postern_transactions_total";
    const struct prometheus_label accepted[] = {{"verdict", STR("accept")},
                                                {"stage", STR("reply")},
                                                {"by", STR("upstream")},
                                                {"rule", STR("")}};
    put_series(t, SERIES_TRANSACTIONS, NAME,
               "Transactions by verdict, and where and by whom it was decided.",
               (const char *const[]){"verdict", "stage", "by", "rule"});
    prometheus_count(t->to, NAME, accepted, 4,
                     metrics_sum(t->c->metrics, METRIC_ACCEPTED));
    put_series(t, SERIES_RULES, "postern_rule_actions_total",
               "What rules did: reject, defer and close, each recipient by "
               "itself; warn and exceed: of limits.",
               (const char *const[]){"stage", "did", "rule"});
}

static void put_recipients(const struct text *t)
{
    static const char NAME[] = "postern_recipients_total";
    static const struct {
        enum metric metric;
        struct str verdict;
    } ROWS[] = {{METRIC_RECIPIENTS_ACCEPTED, STR_INIT("accept")},
                {METRIC_RECIPIENTS_REJECTED, STR_INIT("reject")},
                {METRIC_RECIPIENTS_DEFERRED, STR_INIT("defer")}};
    prometheus_family(t->to, NAME, "counter", "Recipients by their reply.");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct prometheus_label label = {"verdict", ROWS[i].verdict};
        prometheus_count(t->to, NAME, &label, 1,
                         metrics_sum(t->c->metrics, ROWS[i].metric));
    }
    count(t, "postern_message_bytes_total", "counter",
          "Octets of messages that were accepted.",
          metrics_sum(t->c->metrics, METRIC_OCTETS));
    count(t, "postern_shadow_differences_total", "counter",
          "Transactions that the candidate policy would have decided "
          "otherwise.",
          metrics_sum(t->c->metrics, METRIC_SHADOW));
}

static void put_histogram(const struct text *t, const char *name,
                          const char *help, const struct histogram_sum *sum)
{
    prometheus_family(t->to, name, "histogram", help);
    prometheus_histogram(t->to, name, NULL, 0, sum, &histogram_scale_work);
}

#define LAG_LAST "postern_loop_lag_last_seconds"
#define LAG_MAX "postern_loop_lag_max_seconds"

static void put_lags(const struct text *t, const char *name, const char *help,
                     bool is_max)
{
    char thread[24];
    prometheus_family(t->to, name, "gauge", help);
    for (size_t i = 0; i < t->c->workers && i < METRICS_ROWS; i++) {
        struct metrics_lag lag = metrics_lag_of(t->c->metrics, i, t->wall_us);
        snprintf(thread, sizeof thread, "%zu", i);
        const struct prometheus_label label = {"thread", str_from(thread)};
        prometheus_number(t->to, name, &label, 1,
                          (double)(is_max ? lag.max_us : lag.last_us) / US);
    }
}

static void put_work(const struct text *t)
{
    struct histogram_sum policy = {0}, lags = {0};
    metrics_policy(t->c->metrics, &policy);
    metrics_lags(t->c->metrics, &lags);
    put_histogram(t, "postern_policy_seconds",
                  "How long the rules of a transaction took.", &policy);
    put_histogram(t, "postern_loop_lag_seconds",
                  "How late a timer of a loop was, looked at each second.",
                  &lags);
    put_lags(t, LAG_LAST, "The same, last.", false);
    put_lags(t, LAG_MAX, "The same, the worst of the last two minutes.", true);
}

/* --- upstreams --- */

static void put_up(const struct text *t)
{
    static const char NAME[] = "postern_upstream_up";
    prometheus_family(t->to, NAME, "gauge",
                      "1: all threads can reach the server; 0: one can't, or "
                      "none has asked yet.");
    for (size_t i = 0; i < t->c->settings->upstream_count; i++) {
        const struct upstream_settings *upstream =
            &t->c->settings->upstreams[i];
        for (size_t j = 0;
             upstream->maildir == NULL && j < upstream->server_count; j++) {
            struct health_sum sum;
            health_board_sum(t->c->health, upstream->index, j, &sum);
            const struct prometheus_label labels[] = {
                {"upstream", upstream->name},
                {"server", upstream->servers[j].text}};
            prometheus_count(t->to, NAME, labels, 2,
                             sum.up > 0 && sum.down == 0 && sum.unknown == 0);
        }
    }
}

static void each_server(const struct text *t,
                        void (*put)(const struct text *t,
                                    const struct prometheus_label labels[2],
                                    const struct metrics_server_sum *sum))
{
    struct metrics_server_sum sum;
    size_t at = 0;
    while (metrics_server_next(t->c->metrics, &at,
                               metrics_minute_of(t->wall_us), &sum)) {
        const struct prometheus_label labels[] = {{"upstream", sum.upstream},
                                                  {"server", sum.server}};
        put(t, labels, &sum);
    }
}

#define OPENED "postern_upstream_connections_opened_total"
#define FAILED "postern_upstream_connections_failed_total"
#define POOL "postern_upstream_connections"
#define LATENCY "postern_upstream_seconds"

static void put_opened(const struct text *t,
                       const struct prometheus_label labels[2],
                       const struct metrics_server_sum *sum)
{
    prometheus_count(t->to, OPENED, labels, 2, sum->opened);
}

static void put_failed(const struct text *t,
                       const struct prometheus_label labels[2],
                       const struct metrics_server_sum *sum)
{
    prometheus_count(t->to, FAILED, labels, 2, sum->failed);
}

static void put_pool(const struct text *t,
                     const struct prometheus_label labels[2],
                     const struct metrics_server_sum *sum)
{
    const struct prometheus_label in_use[] = {
        labels[0], labels[1], {"state", STR("in_use")}};
    const struct prometheus_label idle[] = {
        labels[0], labels[1], {"state", STR("idle")}};
    prometheus_count(t->to, POOL, in_use, 3, sum->in_use);
    prometheus_count(t->to, POOL, idle, 3, sum->idle);
}

static void put_latency(const struct text *t,
                        const struct prometheus_label labels[2],
                        const struct metrics_server_sum *sum)
{
    static const struct str PHASES[LATENCY_COUNT] = {
        [LATENCY_CONNECT] = STR_INIT("connect"),
        [LATENCY_ENVELOPE] = STR_INIT("envelope"),
        [LATENCY_END] = STR_INIT("end_of_data"),
    };
    for (size_t i = 0; i < LATENCY_COUNT; i++) {
        const struct prometheus_label named[] = {
            labels[0], labels[1], {"phase", PHASES[i]}};
        prometheus_histogram(t->to, LATENCY, named, 3, &sum->latency[i],
                             &histogram_scale_network);
    }
}

static void put_upstreams(const struct text *t)
{
    put_up(t);
    prometheus_family(t->to, OPENED, "counter",
                      "Connections to the server that were begun.");
    each_server(t, put_opened);
    prometheus_family(t->to, FAILED, "counter",
                      "Of these, those that failed before they could be used.");
    each_server(t, put_failed);
    prometheus_family(t->to, POOL, "gauge",
                      "Connections there are, up to a second ago.");
    each_server(t, put_pool);
    prometheus_family(t->to, LATENCY, "histogram",
                      "How long the server took: connect (with TLS, EHLO and "
                      "login), envelope (MAIL and RCPT), end_of_data.");
    each_server(t, put_latency);
}

/* --- logs and budgets --- */

static void put_logs(const struct text *t)
{
    static const char NAME[] = "postern_server_log_messages_total";
    static const struct str LEVELS[] = {STR_INIT("debug"), STR_INIT("info"),
                                        STR_INIT("warning"), STR_INIT("error")};
    struct metrics *metrics = t->c->metrics;
    count(t, "postern_decision_log_lines_total", "counter",
          "Lines that were written.",
          metrics_sum_common(metrics, METRIC_LOG_LINES));
    count(t, "postern_decision_log_lost_total", "counter",
          "Lines that were lost: the disk is full or slow.",
          metrics_sum_common(metrics, METRIC_LOG_LOST));
    prometheus_family(t->to, NAME, "counter",
                      "Messages of the server log; of bursts each.");
    for (unsigned i = 0; i < 4; i++) {
        const struct prometheus_label label = {"level", LEVELS[i]};
        prometheus_count(t->to, NAME, &label, 1,
                         metrics_sum_common(metrics, METRIC_SERVER_DEBUG + i));
    }
}

static void put_budgets(const struct text *t)
{
    static const char NAME[] = "postern_budgets";
    static const struct str NAMES[FULLNESS_COUNT] = {
        [FULLNESS_UNDER_50] = STR_INIT("under_50"),
        [FULLNESS_50_80] = STR_INIT("50_to_80"),
        [FULLNESS_80_100] = STR_INIT("80_to_100"),
        [FULLNESS_FULL] = STR_INIT("full"),
    };
    const struct settings *policy = snapshots_newest(t->c->snapshots);
    struct fullness_sum sum = budget_fullness_look(
        t->c->fullness, t->c->ledger, policy->rules, control_now_ms());
    settings_unref(policy);
    prometheus_family(t->to, NAME, "gauge",
                      "Budgets in use, by how many percent of what may be used "
                      "at once are; up to ten seconds old.");
    for (size_t i = 0; i < FULLNESS_COUNT; i++) {
        const struct prometheus_label label = {"used", NAMES[i]};
        prometheus_count(t->to, NAME, &label, 1, sum.keys[i]);
    }
    count(t, "postern_budget_keys", "gauge",
          "Budgets and distinct members that are in use.", sum.in_use);
    count(t, "postern_budget_keys_max", "gauge", "How many there is room for.",
          shared_ledger_max_keys(t->c->ledger));
}

/* Those who send most, and no others: a label for each login would not be
 * bounded. */
static void put_users(const struct text *t)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } ROWS[] = {
        {"postern_top_user_messages", "Messages accepted of a user.",
         offsetof(struct top_user, messages)},
        {"postern_top_user_recipients", "Recipients of these.",
         offsetof(struct top_user, recipients)},
        {"postern_top_user_refused", "Transactions refused or deferred.",
         offsetof(struct top_user, refused)},
    };
    struct top_sum sum;
    top_sum_init(&sum);
    (void)metrics_top_users(t->c->metrics, metrics_minute_of(t->wall_us), &sum);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        char help[256];
        snprintf(help, sizeof help,
                 "%s The last fifty to sixty minutes, of the %d who send most.",
                 ROWS[row].help, USERS_TOLD);
        prometheus_family(t->to, ROWS[row].name, "gauge", help);
        for (size_t i = 0; i < sum.count && i < USERS_TOLD; i++) {
            const struct top_user *user = &sum.users[i];
            const struct prometheus_label label = {
                "user", str_span(user->name, user->name_length)};
            prometheus_count(
                t->to, ROWS[row].name, &label, 1,
                *(const uint64_t *)((const char *)user + ROWS[row].offset));
        }
    }
    top_sum_release(&sum);
}

/* What each question came to, and what was told without an answer. */
static void put_store_counts(const struct text *t, const uint64_t *counts)
{
    static const char QUESTIONS[] = "postern_store_questions_total";
    static const enum store_count RESULTS[] = {
        STORE_WITHIN, STORE_EXCEEDED, STORE_LISTED, STORE_UNLISTED,
        STORE_AWAY,   STORE_FULL,     STORE_LATE,   STORE_BROKEN};
    prometheus_family(
        t->to, QUESTIONS, "counter",
        "Questions to the store, by what came: an answer (within, "
        "exceeded, listed, unlisted), or none (away, full, late, "
        "broken).");
    for (size_t i = 0; i < sizeof RESULTS / sizeof *RESULTS; i++) {
        const struct prometheus_label label = {
            "result", str_from(store_count_name(RESULTS[i]))};
        prometheus_count(t->to, QUESTIONS, &label, 1, counts[RESULTS[i]]);
    }
    count(t, "postern_store_told_total", "counter",
          "Commits, returns, renewals and changes of lists that were sent.",
          counts[STORE_TOLD]);
    count(t, "postern_store_lost_total", "counter",
          "Of these, what could not be kept while the store was away.",
          counts[STORE_LOST]);
    count(t, "postern_store_connects_total", "counter",
          "Connections to the store.", counts[STORE_CONNECTS]);
    count(t, "postern_store_script_loads_total", "counter",
          "Scripts that the store did not have.", counts[STORE_LOADS]);
}

static void put_store(const struct text *t)
{
    static const char LATENCY_NAME[] = "postern_store_answer_seconds";
    bool is_memory = t->c->settings->limits.store == STORE_MEMORY;
    uint64_t counts[STORE_COUNTS] = {0};
    struct histogram_sum latency = {0};
    const struct prometheus_label label = {"kind", is_memory ? STR("memory")
                                                             : STR("redis")};
    prometheus_family(t->to, "postern_store_up", "gauge",
                      "1: the store of budgets and dynamic lists answers.");
    prometheus_count(t->to, "postern_store_up", &label, 1,
                     is_memory ||
                         metrics_has_store(t->c->metrics, t->c->workers));
    if (is_memory)
        return;
    metrics_store(t->c->metrics, counts, &latency);
    put_store_counts(t, counts);
    prometheus_family(t->to, LATENCY_NAME, "histogram",
                      "How long the store took to answer.");
    prometheus_histogram(t->to, LATENCY_NAME, NULL, 0, &latency,
                         &histogram_scale_work);
}

char *metrics_text(const struct controlled *c, size_t *octets)
{
    char *text = NULL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *octets = 0;
    const struct text t = {.to = open_memstream(&text, octets),
                           .c = c,
                           .wall_us = (uint64_t)now.tv_sec * 1000000 +
                                      (uint64_t)now.tv_nsec / 1000};
    if (t.to == NULL)
        return NULL;
    put_process(&t);
    put_reloads(&t);
    put_certificates(&t);
    put_sessions(&t);
    put_transactions(&t);
    put_recipients(&t);
    put_work(&t);
    put_upstreams(&t);
    put_logs(&t);
    put_budgets(&t);
    put_users(&t);
    put_store(&t);
    bool has_failed = ferror(t.to) != 0;
    if (fclose(t.to) != 0 || has_failed) {
        free(text);
        return NULL;
    }
    return text;
}
