#include "proxy/metrics/metrics_text_internal.h"

static void put_series(const struct metrics_text *t, enum series_family family,
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

static void put_sessions(const struct metrics_text *t)
{
    const struct controlled *c = t->c;
    metrics_text_count(t, "postern_sessions_open", "gauge",
                       "Connections of clients, in all processes.",
                       connection_counts_total(c->connections));
    metrics_text_count(t, "postern_sessions_max", "gauge", "caps.connections.",
                       c->settings->caps.connections);
    metrics_text_count(t, "postern_sessions_total", "counter",
                       "Sessions that began.",
                       metrics_sum(c->metrics, METRIC_SESSIONS));
    put_series(t, SERIES_ENDS, "postern_sessions_ended_total",
               "Sessions that ended, and how.", (const char *const[]){"end"});
    metrics_text_count(
        t, "postern_sessions_held_bytes", "gauge",
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

static void put_transactions(const struct metrics_text *t)
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

static void put_recipients(const struct metrics_text *t)
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
    metrics_text_count(t, "postern_message_bytes_total", "counter",
                       "Octets of messages that were accepted.",
                       metrics_sum(t->c->metrics, METRIC_OCTETS));
    metrics_text_count(
        t, "postern_shadow_differences_total", "counter",
        "Transactions that the candidate policy would have decided "
        "otherwise.",
        metrics_sum(t->c->metrics, METRIC_SHADOW));
}

void metrics_text_mail(const struct metrics_text *t)
{
    put_sessions(t);
    put_transactions(t);
    put_recipients(t);
}
