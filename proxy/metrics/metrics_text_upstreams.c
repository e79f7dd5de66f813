#include "proxy/metrics/metrics_text_internal.h"

static void put_up(const struct metrics_text *t)
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

static void each_server(const struct metrics_text *t,
                        void (*put)(const struct metrics_text *t,
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

static void put_opened(const struct metrics_text *t,
                       const struct prometheus_label labels[2],
                       const struct metrics_server_sum *sum)
{
    prometheus_count(t->to, OPENED, labels, 2, sum->opened);
}

static void put_failed(const struct metrics_text *t,
                       const struct prometheus_label labels[2],
                       const struct metrics_server_sum *sum)
{
    prometheus_count(t->to, FAILED, labels, 2, sum->failed);
}

static void put_pool(const struct metrics_text *t,
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

static void put_latency(const struct metrics_text *t,
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

void metrics_text_upstreams(const struct metrics_text *t)
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
