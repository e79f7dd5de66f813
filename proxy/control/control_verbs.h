/* The orders that a running server takes on its control socket. */
#ifndef PROXY_CONTROL_CONTROL_VERBS_H
#define PROXY_CONTROL_CONTROL_VERBS_H

#include <sys/types.h>

#include "proxy/budgets/connection_counts.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/control/budget_fullness.h"
#include "proxy/control/control_server.h"
#include "proxy/control/snapshots.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "proxy/metrics/metrics.h"
#include "proxy/tls/certificate_dates.h"
#include "proxy/upstream/health_board.h"

struct json_line;

/* What orders act on: the owner of control_verbs. All borrowed. */
struct controlled {
    struct snapshots *snapshots;
    struct shared_ledger *ledger;
    struct connection_counts *connections;
    struct health_board *health;
    struct metrics *metrics;
    struct budget_fullness *fullness;
    int statm; /* /proc/self/statm; negative: not there */
    struct tls_context *certificates; /* NULL: no listener has any */
    const struct settings *settings;  /* what the server began with */
    struct decision_log *decisions;
    struct server_log *log;
    pid_t supervisor;
    uint64_t started_ms; /* when that began, of the monotonic clock */
    size_t workers;
};

extern const struct control_verb control_verbs[];

/* Milliseconds of the clock that the loops go by. */
uint64_t control_now_ms(void);
/* Resident memory of this process; 0: not known. */
uint64_t control_memory_octets(const struct controlled *c);
/* A line's value, which may be one that log.redact hides: nobody knows of which
 * fact it is, so that with it each is hidden. */
void control_put_value(const struct controlled *c, struct json_line *line,
                       const char *key, struct str value);
/* A text that may not be UTF-8, which jansson refuses. */
json_t *control_text(struct str text);
/* In verb_status.c. */
json_t *verb_status(void *owner, const json_t *request);
/* In verb_overview.c: what `postern top` and the web page show. */
json_t *verb_overview(void *owner, const json_t *request);
/* In verb_metrics.c: the text of metrics_text(). */
json_t *verb_metrics(void *owner, const json_t *request);
/* In verb_list.c: {"list":NAME}, {…,"add":VALUE,"for_ms":N} or
 * {…,"remove":VALUE}. */
json_t *verb_list(void *owner, const json_t *request);
/* In verb_limits.c: {} or {"key":KEY}, {…,"reset":true} or
 * {…,"boost_percent":N,"for_ms":N}, where 100 ends a boost. */
json_t *verb_limits(void *owner, const json_t *request);

#endif
