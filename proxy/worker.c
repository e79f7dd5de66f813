#include "proxy/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/control/token_order.h"
#include "proxy/listener.h"
#include "proxy/crash_trace.h"
#include "proxy/net/key_link.h"
#include "proxy/net/timer.h"
#include "proxy/upstream/upstreams.h"

#define PROBE_MS 2000
/* For farewells to the upstreams, once no session is left. What is with one
 * of them still has no client that could be told. */
#define CLOSING_MS 5000
/* Of transactions that ended: 256 KiB a worker. */
#define SPARE_BLOCKS 64
/* How often it looks how late it is, and, each so many times, at all of its
 * sessions. */
#define TICK_MS 1000
#define TICKS_A_WALK 10

enum phase {
    PHASE_STARTING, /* the upstreams are asked */
    PHASE_READY,    /* could listen */
    PHASE_SERVING,
    PHASE_RETIRED,  /* no new sessions, until it is known who serves them */
    PHASE_DRAINING, /* no new sessions; the others end by themselves */
    PHASE_STOPPING, /* sessions finish what they are in */
    PHASE_CLOSING   /* only upstream connections are left */
};

/* What another thread wants it to come to. */
enum wish { WISH_NONE, WISH_RETIRE, WISH_DRAIN };

struct worker {
    const struct shared *shared;
    size_t number; /* 0, 1, ... */
    pthread_t thread;
    struct loop *loop;
    struct wakeup *wakeup;
    struct timer *patience; /* of a drain, then of a stop */
    struct timer *ticks;
    uint64_t tick_due_us, tick_count;
    struct metrics_lane *metrics;
    struct listeners *listeners;
    struct session_host host;
    struct upstreams *upstreams;
    struct remote_ledger *remote; /* NULL: budgets are this machine's */
    enum phase phase;             /* the worker's thread only */
    atomic_int wish;              /* an enum wish */
    atomic_bool has_turned;       /* since it was asked whether it does */
    _Atomic uint64_t asked_ms;    /* when it was; 0: it has answered */
    _Atomic uint64_t drain_ms;
    atomic_int stops; /* how often a stop was asked for */
    atomic_bool has_ended;
    bool has_thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_ready;                  /* the upstreams were asked */
    struct listeners_share *share;  /* to listen on, or NULL */
    bool has_failed;                /* in that */
    const struct settings *renewal; /* a snapshot to take up, or NULL */
};

static void on_told(void *owner)
{
    struct worker *w = owner;
    loop_stop(w->loop);
}

/* What sessions have counted is told before the end. */
static void on_upstreams_closed(void *owner)
{
    struct worker *w = owner;
    if (w->remote != NULL)
        remote_ledger_finish(w->remote, on_told, w);
    else
        loop_stop(w->loop);
}

/* The last step of a stop: no sessions are left. */
static void close_upstreams(struct worker *w)
{
    if ((w->phase != PHASE_STOPPING && w->phase != PHASE_DRAINING) ||
        w->host.sessions != NULL)
        return;
    w->phase = PHASE_CLOSING;
    timer_start(w->patience, CLOSING_MS);
    upstreams_close(w->upstreams, on_upstreams_closed, w);
}

static void on_session_freed(void *owner, const struct ip *client)
{
    struct worker *w = owner;
    connection_counts_give(w->shared->connections, client);
    close_upstreams(w);
}

static bool on_client_named(void *owner, const struct ip *client)
{
    struct worker *w = owner;
    return listeners_admit(w->shared, client);
}

static bool is_crowded(void *owner)
{
    struct worker *w = owner;
    return connection_counts_is_crowded(w->shared->connections,
                                        w->shared->settings->caps.crowded);
}

static void on_probed(void *owner)
{
    struct worker *w = owner;
    if (w->phase == PHASE_STARTING)
        w->phase = PHASE_READY;
    pthread_mutex_lock(&w->lock);
    w->is_ready = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* Ends at once whatever the stop still waits for. */
static void hurry(struct worker *w)
{
    if (w->phase == PHASE_STOPPING)
        sessions_abort(&w->host);
    else if (w->phase == PHASE_CLOSING)
        loop_stop(w->loop);
}

/* Who is between two transactions is told to come back later. */
static void stop(struct worker *w)
{
    w->phase = PHASE_STOPPING;
    listeners_close(w->listeners);
    timer_start(w->patience, w->shared->settings->timeouts.shutdown);
    sessions_stop(&w->host);
    close_upstreams(w);
}

static void on_patience(void *owner)
{
    struct worker *w = owner;
    if (w->phase == PHASE_DRAINING) {
        server_log_write(w->shared->opened->log, SERVER_WARNING,
                         "timeouts.drain has passed: sessions that are left "
                         "are told to come back");
        stop(w);
        return;
    }
    if (w->phase == PHASE_STOPPING)
        server_log_write(w->shared->opened->log, SERVER_WARNING,
                         "timeouts.shutdown has passed: what is under way is "
                         "given up");
    hurry(w);
}

/* The reference given up here is never the last: freeing takes its time, and
 * is done elsewhere. */
static void renew(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    const struct settings *before = w->host.policy;
    if (w->renewal != NULL) {
        w->host.policy = w->renewal;
        if (asks_renew(w->host.asks, w->host.policy) != 0)
            server_log_write(w->shared->opened->log, SERVER_ERROR,
                             "no memory for the policy servers: mail that "
                             "asks them is deferred");
        if (w->remote != NULL)
            remote_ledger_set_password(w->remote,
                                       w->host.policy->limits.store_password);
        w->renewal = NULL;
        settings_unref(before);
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
}

/* What was asked for is done when `share` is NULL again. */
static void open_listeners(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->share != NULL) {
        w->has_failed = listeners_open(w->listeners, w->share) != 0;
        if (w->phase == PHASE_READY || w->phase == PHASE_RETIRED)
            w->phase = PHASE_SERVING;
        w->share = NULL;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
}

static void retire(struct worker *w)
{
    w->phase = PHASE_RETIRED;
    listeners_close(w->listeners);
}

static void drain(struct worker *w)
{
    w->phase = PHASE_DRAINING;
    listeners_close(w->listeners);
    timer_start(w->patience, atomic_load(&w->drain_ms));
    close_upstreams(w);
}

/* Another thread asked for something. */
static void on_wakeup(void *owner)
{
    struct worker *w = owner;
    atomic_store(&w->has_turned, true);
    atomic_store(&w->asked_ms, 0);
    renew(w);
    open_listeners(w);
    int stops = atomic_load(&w->stops);
    if (stops == 0) {
        int wish = atomic_load(&w->wish);
        if (wish == WISH_RETIRE && w->phase == PHASE_SERVING)
            retire(w);
        else if (wish == WISH_DRAIN && w->phase < PHASE_DRAINING)
            drain(w);
        return;
    }
    if (w->phase < PHASE_STOPPING)
        stop(w);
    if (stops > 1)
        hurry(w);
}

static void start_tick(struct worker *w)
{
    w->tick_due_us = loop_clock_us(w->loop) + TICK_MS * UINT64_C(1000);
    timer_start(w->ticks, TICK_MS);
}

static void on_tick(void *owner)
{
    struct worker *w = owner;
    uint64_t now_us = loop_clock_us(w->loop);
    metrics_tell_lag(w->metrics,
                     now_us > w->tick_due_us ? now_us - w->tick_due_us : 0,
                     loop_wall_us(w->loop));
    upstreams_tell_counts(w->upstreams);
    metrics_tell_store(w->metrics,
                       w->remote != NULL && remote_ledger_is_up(w->remote));
    if (w->tick_count++ % TICKS_A_WALK == 0)
        metrics_tell_held(w->metrics, sessions_held(&w->host));
    start_tick(w);
}

static void release(struct worker *w)
{
    listeners_free(w->listeners);
    if (w->host.scratch != NULL)
        evaluate_scratch_free(w->host.scratch);
    if (w->host.logins != NULL)
        login_client_free(w->host.logins);
    asks_free(w->host.asks);
    remote_ledger_free(w->remote);
    if (w->upstreams != NULL)
        upstreams_free(w->upstreams);
    if (w->patience != NULL)
        timer_free(w->patience);
    if (w->ticks != NULL)
        timer_free(w->ticks);
    if (w->wakeup != NULL)
        wakeup_free(w->wakeup);
    if (w->loop != NULL)
        loop_free(w->loop);
    spare_blocks_release(&w->host.spare);
    json_line_release(&w->host.log_line);
    settings_unref(w->host.policy);
    settings_unref(w->renewal);
    metrics_lane_free(w->metrics);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}

static int run_program(void *owner, struct str name,
                       const int descriptors[PROGRAM_DESCRIPTORS])
{
    const struct worker *w = owner;
    return token_order_send(w->shared->supervisor, name, descriptors);
}

static int prepare(struct worker *w)
{
    const struct preflight *opened = w->shared->opened;
    const struct settings *settings = w->shared->settings;
    w->loop = loop_new();
    w->listeners = listeners_new(w->shared, &w->host);
    if (w->loop == NULL || w->listeners == NULL)
        return -1;
    w->wakeup = wakeup_new(w->loop, on_wakeup, w);
    w->patience = timer_new(w->loop, on_patience, w);
    w->ticks = timer_new(w->loop, on_tick, w);
    w->metrics = metrics_lane_new(w->shared->metrics, w->number);
    const struct upstream_means means = {.contexts = opened->client_tls,
                                         .books = opened->books,
                                         .runner = {run_program, w}};
    w->upstreams = upstreams_new(w->loop, settings, &means, opened->log,
                                 opened->decisions);
    if (w->upstreams != NULL) {
        upstreams_report(w->upstreams, w->shared->health, w->number);
        upstreams_count_in(w->upstreams, w->metrics);
    }
    const struct back_end_means back_end_means = {
        .loop = w->loop, .log = opened->log, .upstreams = w->upstreams};
    bool is_remote = settings->limits.store == STORE_REDIS;
    if (is_remote && w->metrics != NULL)
        w->remote = remote_ledger_new(w->loop, &settings->limits, opened->log,
                                      w->shared->store_word,
                                      metrics_store_meter(w->metrics));
    w->host = (struct session_host){
        .loop = w->loop,
        .settings = settings,
        .policy = settings_ref(settings),
        .tls = opened->server_tls,
        .upstreams = w->upstreams,
        .logins = w->upstreams == NULL
                      ? NULL
                      : login_client_new(opened->logins, &back_end_means),
        .budgets = {.ledger = w->shared->ledger,
                    .remote = w->remote,
                    .on_failure = settings->limits.on_store_failure},
        .shadow_ledger = w->shared->shadow_ledger,
        .asks = asks_new(w->loop, settings, opened->log),
        .scratch = evaluate_scratch_new(),
        .decisions = decision_log_lane(opened->decisions),
        .log = opened->log,
        .metrics = w->metrics,
        .on_client_named = on_client_named,
        .on_session_freed = on_session_freed,
        .is_crowded = is_crowded,
        .owner = w,
    };
    spare_blocks_init(&w->host.spare, ARENA_SPARE_OCTETS, SPARE_BLOCKS);
    if (w->host.scratch != NULL)
        evaluate_scratch_limit(w->host.scratch, settings->caps.pattern_steps);
    return w->wakeup == NULL || w->patience == NULL || w->ticks == NULL ||
                   w->metrics == NULL || w->upstreams == NULL ||
                   w->host.logins == NULL || w->host.scratch == NULL ||
                   w->host.asks == NULL || w->host.decisions == NULL ||
                   (is_remote && w->remote == NULL)
               ? -1
               : 0;
}

struct worker *worker_new(const struct shared *shared, size_t number)
{
    struct worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->shared = shared;
    w->number = number;
    atomic_init(&w->has_turned, true);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (prepare(w) != 0) {
        release(w);
        return NULL;
    }
    return w;
}

static void *run(void *argument)
{
    struct worker *w = argument;
    struct crash_stack *stack = crash_stack_new(
        server_log_descriptor(w->shared->opened->log), "worker");
    upstreams_probe(w->upstreams, PROBE_MS, on_probed, w);
    start_tick(w);
    loop_run(w->loop);
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->has_ended, true);
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    crash_stack_free(stack);
    return NULL;
}

int worker_ask_for_keys(struct worker *w, int fd)
{
    return key_link_open(w->loop, fd, KEY_LINK_DEADLINE_MS);
}

int worker_start(struct worker *w)
{
    w->has_thread = pthread_create(&w->thread, NULL, run, w) == 0;
    return w->has_thread ? 0 : -1;
}

void worker_await(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->is_ready && !atomic_load(&w->has_ended))
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

int worker_listen(struct worker *w, struct ports *ports, size_t threads)
{
    struct listeners_share share = {ports, w->number, threads};
    atomic_store(&w->wish, WISH_NONE);
    pthread_mutex_lock(&w->lock);
    w->share = &share;
    wakeup_wake(w->wakeup);
    while (w->share != NULL && !atomic_load(&w->has_ended))
        pthread_cond_wait(&w->changed, &w->lock);
    w->share = NULL;
    bool has_failed = w->has_failed;
    pthread_mutex_unlock(&w->lock);
    return has_failed ? -1 : 0;
}

void worker_renew(struct worker *w, const struct settings *policy)
{
    pthread_mutex_lock(&w->lock);
    settings_unref(w->renewal); /* of a thread that has ended */
    w->renewal = settings_ref(policy);
    wakeup_wake(w->wakeup);
    while (w->renewal != NULL && !atomic_load(&w->has_ended))
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

bool worker_has_turned(struct worker *w)
{
    bool has_turned = atomic_exchange(&w->has_turned, false);
    wakeup_wake(w->wakeup);
    return has_turned || atomic_load(&w->has_ended);
}

bool worker_is_turning(struct worker *w, uint64_t now_ms, uint64_t patience_ms)
{
    uint64_t asked_ms = 0;
    if (atomic_compare_exchange_strong(&w->asked_ms, &asked_ms, now_ms)) {
        wakeup_wake(w->wakeup);
        return true;
    }
    return now_ms < asked_ms + patience_ms || atomic_load(&w->has_ended);
}

void worker_retire(struct worker *w)
{
    atomic_store(&w->wish, WISH_RETIRE);
    wakeup_wake(w->wakeup);
}

void worker_drain(struct worker *w, uint64_t within_ms)
{
    atomic_store(&w->drain_ms, within_ms);
    atomic_store(&w->wish, WISH_DRAIN);
    wakeup_wake(w->wakeup);
}

void worker_stop(struct worker *w)
{
    atomic_fetch_add(&w->stops, 1);
    wakeup_wake(w->wakeup);
}

bool worker_has_ended(const struct worker *w)
{
    return atomic_load(&w->has_ended);
}

void worker_join(struct worker *w)
{
    if (w->has_thread)
        pthread_join(w->thread, NULL);
    release(w);
}
