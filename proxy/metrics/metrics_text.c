#include "proxy/metrics/metrics_text.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/metrics/metrics_text_internal.h"

static void put_number(const struct metrics_text *t, const char *name,
                       const char *type, const char *help, double value)
{
    prometheus_family(t->to, name, type, help);
    prometheus_number(t->to, name, NULL, 0, value);
}

void metrics_text_count(const struct metrics_text *t, const char *name,
                        const char *type, const char *help, uint64_t value)
{
    prometheus_family(t->to, name, type, help);
    prometheus_count(t->to, name, NULL, 0, value);
}

/* --- the server --- */

static void put_process(const struct metrics_text *t)
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
    put_number(t, "postern_start_time_seconds", "gauge",
               "When the server was started, since 1970.",
               (double)t->wall_us / US_OF_SECOND - up_s);
    put_number(t, "postern_uptime_seconds", "gauge",
               "Since the server was started.", up_s);
    metrics_text_count(t, "postern_worker_starts_total", "counter",
                       "Worker processes that were started.",
                       metrics_sum_common(c->metrics, METRIC_STARTS));
    metrics_text_count(
        t, "postern_worker_crashes_total", "counter",
        "Worker processes that ended without having been told to.",
        metrics_sum_common(c->metrics, METRIC_CRASHES));
    metrics_text_count(t, "postern_memory_bytes", "gauge",
                       "Resident memory of the worker process that serves.",
                       control_memory_octets(c));
}

static void put_reloads(const struct metrics_text *t)
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

static void put_certificates(const struct metrics_text *t)
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

/* --- the loops and the logs --- */

static void put_histogram(const struct metrics_text *t, const char *name,
                          const char *help, const struct histogram_sum *sum)
{
    prometheus_family(t->to, name, "histogram", help);
    prometheus_histogram(t->to, name, NULL, 0, sum, &histogram_scale_work);
}

#define LAG_LAST "postern_loop_lag_last_seconds"
#define LAG_MAX "postern_loop_lag_max_seconds"

static void put_lags(const struct metrics_text *t, const char *name,
                     const char *help, bool is_max)
{
    char thread[24];
    prometheus_family(t->to, name, "gauge", help);
    for (size_t i = 0; i < t->c->workers && i < METRICS_ROWS; i++) {
        struct metrics_lag lag = metrics_lag_of(t->c->metrics, i, t->wall_us);
        snprintf(thread, sizeof thread, "%zu", i);
        const struct prometheus_label label = {"thread", str_from(thread)};
        prometheus_number(t->to, name, &label, 1,
                          (double)(is_max ? lag.max_us : lag.last_us) /
                              US_OF_SECOND);
    }
}

static void put_work(const struct metrics_text *t)
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

static void put_logs(const struct metrics_text *t)
{
    static const char NAME[] = "postern_server_log_messages_total";
    static const struct str LEVELS[] = {STR_INIT("debug"), STR_INIT("info"),
                                        STR_INIT("warning"), STR_INIT("error")};
    struct metrics *metrics = t->c->metrics;
    metrics_text_count(t, "postern_decision_log_lines_total", "counter",
                       "Lines that were written.",
                       metrics_sum_common(metrics, METRIC_LOG_LINES));
    metrics_text_count(t, "postern_decision_log_lost_total", "counter",
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

char *metrics_text(const struct controlled *c, size_t *octets)
{
    char *text = NULL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *octets = 0;
    const struct metrics_text t = {.to = open_memstream(&text, octets),
                                   .c = c,
                                   .wall_us = (uint64_t)now.tv_sec * 1000000 +
                                              (uint64_t)now.tv_nsec / 1000};
    if (t.to == NULL)
        return NULL;
    put_process(&t);
    put_reloads(&t);
    put_certificates(&t);
    metrics_text_mail(&t);
    put_work(&t);
    metrics_text_upstreams(&t);
    put_logs(&t);
    metrics_text_budgets(&t);
    bool has_failed = ferror(t.to) != 0;
    if (fclose(t.to) != 0 || has_failed) {
        free(text);
        return NULL;
    }
    return text;
}
