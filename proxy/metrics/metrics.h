/* What the server counts: all threads of all its worker processes write to one
 * memory, which is handed on, so that numbers go on over a crash, a reload and
 * an upgrade. On the way of a message no lock is taken and no memory, but for
 * the sketch of users, whose lock is held for arithmetic only.
 *
 * struct metrics is a process's view; struct metrics_lane a thread's way in,
 * which may be NULL: then nothing is counted (tests). */
#ifndef PROXY_METRICS_METRICS_H
#define PROXY_METRICS_METRICS_H

#include "proxy/budgets/store_meter.h"
#include "proxy/metrics/histogram.h"
#include "proxy/metrics/minutes.h"
#include "proxy/metrics/series.h"
#include "proxy/metrics/top_users.h"
#include "rules/slot_counts.h"

struct metrics;
struct metrics_lane;
struct metrics_server;

/* Numbers that only grow, a row of them a thread. */
enum metric {
    METRIC_SESSIONS, /* that were begun */
    METRIC_ACCEPTED, /* transactions, by their verdict */
    METRIC_REJECTED,
    METRIC_DEFERRED,
    METRIC_ABORTED,
    METRIC_RECIPIENTS_ACCEPTED,
    METRIC_RECIPIENTS_REJECTED,
    METRIC_RECIPIENTS_DEFERRED,
    METRIC_OCTETS, /* of messages that were accepted */
    METRIC_SHADOW, /* where a candidate policy differs */
    METRIC_COUNT
};

/* What each minute is told of. */
enum metric_minutes {
    MINUTES_ACCEPT,
    MINUTES_REJECT,
    MINUTES_DEFER,
    MINUTES_CLOSE, /* a rule ended the session */
    MINUTES_COUNT
};

/* Numbers of all threads together: seldom written. */
enum metric_common {
    METRIC_LOG_LINES,
    METRIC_LOG_LOST,
    METRIC_SERVER_DEBUG, /* lines of the server log, by its levels */
    METRIC_SERVER_INFO,
    METRIC_SERVER_WARNING,
    METRIC_SERVER_ERROR,
    METRIC_RELOADS,
    METRIC_RELOADS_REFUSED,
    METRIC_STARTS, /* of worker processes; set, as is the next */
    METRIC_CRASHES,
    METRIC_COMMON_COUNT
};

enum metric_latency {
    LATENCY_CONNECT,  /* to a connection that can take mail */
    LATENCY_ENVELOPE, /* until MAIL or RCPT was answered */
    LATENCY_END,      /* until the end of data was */
    LATENCY_COUNT
};

/* --- the memory --- */

/* Of this process alone, or in memory that others can attach to. NULL with
 * errno. */
struct metrics *metrics_new(void);
struct metrics *metrics_create(unsigned slot);
/* What another process has made, by a descriptor that stays the caller's. What
 * the slot said of now, from a process before, is forgotten. NULL: there are
 * no numbers there, or those of another version: errno is 0; else it failed. */
struct metrics *metrics_attach(int fd, unsigned slot);
/* What to hand on; owned by the metrics. -1: of this process alone. */
int metrics_memory(const struct metrics *metrics);
/* NULL is fine. */
void metrics_free(struct metrics *metrics);
/* A process is no more: what it said of now is not so any longer. */
void metrics_forget(struct metrics *metrics, unsigned slot);

/* --- counting, on a thread --- */

/* The way in of the thread with that number; the metrics' own, which outlive
 * it. NULL when out of memory. */
struct metrics_lane *metrics_lane_new(struct metrics *metrics, size_t number);
void metrics_lane_free(struct metrics_lane *lane);

void metrics_add(struct metrics_lane *lane, enum metric metric,
                 uint64_t amount);
/* `us`: wall time, which tells the minute. */
void metrics_add_minute(struct metrics_lane *lane, enum metric_minutes what,
                        uint64_t us);
void metrics_add_series(struct metrics_lane *lane, enum series_family family,
                        const struct str *labels, uint64_t us);
#define METRICS_ADD_SERIES(lane, family, us, ...)                              \
    metrics_add_series(lane, family, (const struct str[]){__VA_ARGS__}, us)
/* How long the rules of one transaction took. */
void metrics_add_policy(struct metrics_lane *lane, uint64_t us);
/* A transaction of a login: `use` without its hash. */
void metrics_add_use(struct metrics_lane *lane, const struct top_use *use,
                     uint64_t us);

/* How late a timer of the loop was. */
void metrics_tell_lag(struct metrics_lane *lane, uint64_t lag_us, uint64_t us);
/* Octets that the sessions of the thread hold. */
void metrics_tell_held(struct metrics_lane *lane, uint64_t octets);
/* Whether its link to the shared store of budgets is up. */
void metrics_tell_store(struct metrics_lane *lane, bool is_up);
/* What the thread counts of that store; lives as long as the metrics. */
struct store_meter *metrics_store_meter(struct metrics_lane *lane);

/* --- counting, on any thread --- */

/* For who counts by itself, such as a log. Lives as long as the metrics. */
_Atomic uint64_t *metrics_common(struct metrics *metrics,
                                 enum metric_common number);
void metrics_add_common(struct metrics *metrics, enum metric_common number);
void metrics_set_common(struct metrics *metrics, enum metric_common number,
                        uint64_t value);

/* --- servers of upstreams --- */

/* Its numbers, found or made by its names; "other" when there are too many.
 * Lives as long as the metrics; NULL where the lane is. */
struct metrics_server *metrics_server(struct metrics_lane *lane,
                                      struct str upstream, struct str server);
void metrics_server_opened(struct metrics_server *server);
void metrics_server_failed(struct metrics_server *server);
void metrics_server_took(struct metrics_server *server,
                         enum metric_latency what, uint64_t us,
                         uint64_t wall_us);
/* Connections of a thread, as they were told last and are now. */
struct metrics_pool {
    uint64_t in_use, idle;
};
void metrics_server_tell(struct metrics_lane *lane,
                         struct metrics_server *server,
                         struct metrics_pool *told, struct metrics_pool now);

/* --- shadow differences, the last few --- */

#define SHADOW_TEXT 96
struct shadow_note {
    uint64_t us; /* wall time */
    char id[24];
    char live[SHADOW_TEXT], shadow[SHADOW_TEXT], rule[SHADOW_TEXT];
};
#define SHADOW_NOTES 16
void metrics_note_shadow(struct metrics_lane *lane,
                         const struct shadow_note *note);

/* --- reading, on any thread --- */

uint64_t metrics_sum(const struct metrics *metrics, enum metric metric);
uint64_t metrics_sum_common(const struct metrics *metrics,
                            enum metric_common number);
/* Adds to `out`. */
void metrics_minutes(const struct metrics *metrics, enum metric_minutes what,
                     uint64_t minute, uint64_t out[MINUTES]);
void metrics_policy(const struct metrics *metrics, struct histogram_sum *sum);
const struct series_table *metrics_series(const struct metrics *metrics);

struct metrics_lag {
    uint64_t last_us, max_us; /* the latter of the last two minutes */
};
/* Of a thread of this process; and the worst of them all. */
struct metrics_lag metrics_lag_of(const struct metrics *metrics, size_t thread,
                                  uint64_t us);
struct metrics_lag metrics_lag(const struct metrics *metrics, uint64_t us);
/* Threads beyond share what the first so many have. */
#define METRICS_ROWS 16
/* How late each timer was. */
void metrics_lags(const struct metrics *metrics, struct histogram_sum *sum);
uint64_t metrics_held(const struct metrics *metrics);
/* Adds up what was counted of the shared store. */
void metrics_store(const struct metrics *metrics, uint64_t counts[STORE_COUNTS],
                   struct histogram_sum *latency);
/* Whether it is up for all of this process's threads. */
bool metrics_has_store(const struct metrics *metrics, size_t threads);

struct metrics_server_sum {
    struct str upstream, server; /* valid as long as the metrics */
    uint64_t opened, failed, in_use, idle;
    struct histogram_sum latency[LATENCY_COUNT];
    struct histogram_sum recent_end;
};
/* The server at *at or behind, which is set behind it. False: that was all. */
bool metrics_server_next(const struct metrics *metrics, size_t *at,
                         uint64_t minute, struct metrics_server_sum *sum);
/* 0, or -1: out of memory. */
int metrics_top_users(struct metrics *metrics, uint64_t minute,
                      struct top_sum *sum);
/* The newest first; returns how many. */
size_t metrics_shadow_notes(struct metrics *metrics,
                            struct shadow_note out[SHADOW_NOTES]);

static inline uint64_t metrics_minute_of(uint64_t wall_us)
{
    return wall_us / (60 * UINT64_C(1000000));
}

#endif
