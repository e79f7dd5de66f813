#include "proxy/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/listener.h"
#include "proxy/net/timer.h"
#include "proxy/upstream/upstreams.h"

#define PROBE_MS 2000
/* For farewells to the upstreams, once no session is left. What is with one
 * of them still has no client that could be told. */
#define CLOSING_MS 5000
/* Of transactions that ended: 256 KiB a worker. */
#define SPARE_BLOCKS 64

enum phase {
    PHASE_STARTING,
    PHASE_SERVING,
    PHASE_FAILED,
    PHASE_STOPPING, /* sessions finish what they are in */
    PHASE_CLOSING   /* only upstream connections are left */
};

struct worker {
    const struct shared *shared;
    size_t number; /* 0, 1, ... */
    pthread_t thread;
    struct loop *loop;
    struct wakeup *wakeup;
    struct timer *patience; /* of a stop */
    struct listeners *listeners;
    struct session_host host;
    struct upstreams *upstreams;
    enum phase phase; /* the worker's thread only */
    atomic_int stops; /* how often a stop was asked for */
    atomic_bool has_ended;
    bool has_thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_settled; /* serving or failed */
    bool has_failed;
    char error[256];
    const struct settings *renewal; /* a snapshot to take up, or NULL */
};

static void settle(struct worker *w, const char *error)
{
    pthread_mutex_lock(&w->lock);
    w->is_settled = true;
    if (error != NULL && !w->has_failed) {
        w->has_failed = true;
        snprintf(w->error, sizeof w->error, "%s", error);
    }
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void on_upstreams_closed(void *owner)
{
    struct worker *w = owner;
    loop_stop(w->loop);
}

/* The last step of a stop: no sessions are left. */
static void close_upstreams(struct worker *w)
{
    if (w->phase != PHASE_STOPPING || w->host.sessions != NULL)
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
    char error[256];
    if (w->phase != PHASE_STARTING)
        return;
    bool is_open = listeners_open(w->listeners, error, sizeof error) == 0;
    w->phase = is_open ? PHASE_SERVING : PHASE_FAILED;
    settle(w, is_open ? NULL : error);
}

/* Ends at once whatever the stop still waits for. */
static void hurry(struct worker *w)
{
    if (w->phase == PHASE_STOPPING)
        sessions_abort(&w->host);
    else if (w->phase == PHASE_CLOSING)
        loop_stop(w->loop);
}

static void on_patience(void *owner)
{
    struct worker *w = owner;
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
        w->renewal = NULL;
        settings_unref(before);
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
}

/* Another thread asked for something. */
static void on_wakeup(void *owner)
{
    struct worker *w = owner;
    renew(w);
    int stops = atomic_load(&w->stops);
    if (stops == 0)
        return;
    if (w->phase < PHASE_STOPPING) {
        w->phase = PHASE_STOPPING;
        listeners_close(w->listeners);
        timer_start(w->patience, w->shared->settings->timeouts.shutdown);
        sessions_stop(&w->host);
        close_upstreams(w);
    }
    if (stops > 1)
        hurry(w);
}

static void release(struct worker *w)
{
    listeners_free(w->listeners);
    if (w->host.scratch != NULL)
        evaluate_scratch_free(w->host.scratch);
    if (w->host.logins != NULL)
        login_client_free(w->host.logins);
    asks_free(w->host.asks);
    if (w->upstreams != NULL)
        upstreams_free(w->upstreams);
    if (w->patience != NULL)
        timer_free(w->patience);
    if (w->wakeup != NULL)
        wakeup_free(w->wakeup);
    if (w->loop != NULL)
        loop_free(w->loop);
    spare_blocks_release(&w->host.spare);
    json_line_release(&w->host.log_line);
    settings_unref(w->host.policy);
    settings_unref(w->renewal);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
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
    const struct upstream_means means = {.contexts = opened->client_tls,
                                         .books = opened->books};
    w->upstreams = upstreams_new(w->loop, settings, &means, opened->log,
                                 opened->decisions);
    if (w->upstreams != NULL)
        upstreams_report(w->upstreams, w->shared->health, w->number);
    const struct back_end_means back_end_means = {
        .loop = w->loop, .log = opened->log, .upstreams = w->upstreams};
    w->host = (struct session_host){
        .loop = w->loop,
        .settings = settings,
        .policy = settings_ref(settings),
        .tls = opened->server_tls,
        .upstreams = w->upstreams,
        .logins = w->upstreams == NULL
                      ? NULL
                      : login_client_new(opened->logins, &back_end_means),
        .ledger = w->shared->ledger,
        .shadow_ledger = w->shared->shadow_ledger,
        .asks = asks_new(w->loop, settings, opened->log),
        .scratch = evaluate_scratch_new(),
        .decisions = decision_log_lane(opened->decisions),
        .log = opened->log,
        .on_client_named = on_client_named,
        .on_session_freed = on_session_freed,
        .is_crowded = is_crowded,
        .owner = w,
    };
    spare_blocks_init(&w->host.spare, ARENA_SPARE_OCTETS, SPARE_BLOCKS);
    if (w->host.scratch != NULL)
        evaluate_scratch_limit(w->host.scratch, settings->caps.pattern_steps);
    return w->wakeup == NULL || w->patience == NULL || w->upstreams == NULL ||
                   w->host.logins == NULL || w->host.scratch == NULL ||
                   w->host.asks == NULL || w->host.decisions == NULL
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
    upstreams_probe(w->upstreams, PROBE_MS, on_probed, w);
    loop_run(w->loop);
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->has_ended, true);
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int worker_start(struct worker *w)
{
    w->has_thread = pthread_create(&w->thread, NULL, run, w) == 0;
    return w->has_thread ? 0 : -1;
}

int worker_await(struct worker *w, char *error, size_t room)
{
    pthread_mutex_lock(&w->lock);
    while (!w->is_settled)
        pthread_cond_wait(&w->changed, &w->lock);
    if (w->has_failed)
        snprintf(error, room, "%s", w->error);
    pthread_mutex_unlock(&w->lock);
    return w->has_failed ? -1 : 0;
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
