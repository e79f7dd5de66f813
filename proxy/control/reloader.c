/* The lock guards requests, the newest snapshot and who waits; a load holds
 * none. Old snapshots are the thread's own: it looks from time to time
 * whether its reference is the last one. */
#include "proxy/control/reloader.h"

#include "proxy/control/reload_check.h"
#include "proxy/control/reload_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_MS 500
/* Loops go first where there are more threads than cores. */
#define NICE 10

struct old_snapshot {
    struct old_snapshot *next;
    const struct settings *settings;
};

/* On the stack of who waits for it. */
struct request {
    struct reload_result *result;
    bool is_answered;
};

struct reloader {
    struct reloader_host host;
    const struct settings *base; /* the first snapshot */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_stopping;
    struct old_snapshot *old; /* the thread's own */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    const struct settings *newest;
    struct request *request; /* not begun yet; NULL: none */
    bool is_signalled;
    bool has_changed; /* files have, and `change` says which */
    struct reload_cause change;
    bool is_loading;
    bool is_renewing; /* and that is about files alone */
};

static void take_newest(struct reloader *r, const struct settings *fresh,
                        struct old_snapshot *old)
{
    pthread_mutex_lock(&r->lock);
    *old = (struct old_snapshot){r->old, r->newest};
    r->newest = fresh;
    pthread_mutex_unlock(&r->lock);
    r->old = old;
}

/* Makes a snapshot the newest, if its policy is another one: 0, or -1 when out
 * of memory. */
static int go_live(struct reloader *r, const struct settings *fresh,
                   struct files *files, const struct reload_cause *cause,
                   struct reload_result *result)
{
    bool is_same =
        cause->by == RELOAD_BY_FILE && reload_is_same(r->newest, fresh);
    struct old_snapshot *old = malloc(sizeof *old);
    if (old == NULL)
        diags_error(&result->diags, (struct mark){.file = r->base->path},
                    "out of memory");
    if (old == NULL ||
        r->host.renew(r->host.owner, fresh, files, &result->diags) != 0) {
        free(old);
        settings_unref(fresh);
        return -1;
    }
    memcpy(result->after, fresh->policy_digest, sizeof result->after);
    reload_name_changes(r->host.source.newest(r->host.source.owner), files,
                        result);
    result->is_same = is_same && result->renewed_count == 0;
    if (is_same) {
        free(old);
        settings_unref(fresh);
        return 0;
    }
    take_newest(r, fresh, old);
    r->host.publish(r->host.owner, fresh);
    return 0;
}

static void reload(struct reloader *r, const struct reload_cause *cause,
                   struct reload_result *result)
{
    const struct files_source *source = &r->host.source;
    bool is_whole = cause->by != RELOAD_BY_FILE;
    struct files *files = source->fetch(source->owner, is_whole);
    const struct settings *fresh = NULL;
    memcpy(result->before, r->newest->policy_digest, sizeof result->before);
    result->end = RELOAD_REFUSED;
    if (files == NULL)
        diags_error(&result->diags, (struct mark){.file = r->base->path},
                    "out of memory");
    else
        fresh = reload_load(r->base, is_whole ? NULL : r->newest, files,
                            &r->is_stopping, result);
    if (fresh != NULL && go_live(r, fresh, files, cause, result) == 0) {
        source->keep(source->owner, files);
        result->end = RELOAD_LIVE;
        return;
    }
    files_free(files);
    if (atomic_load(&r->is_stopping))
        result->end = RELOAD_STOPPING;
}

/* Frees what nobody uses any more. Of the first snapshot the server's part
 * stays, and one more reference: whoever made it has it. */
static void sweep(struct reloader *r)
{
    struct old_snapshot **at = &r->old;
    while (*at != NULL) {
        struct old_snapshot *old = *at;
        bool is_base = old->settings == r->base;
        if (!settings_has_references(old->settings, is_base ? 2 : 1)) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        if (is_base)
            settings_drop_rules(old->settings);
        settings_unref(old->settings);
        free(old);
    }
}

/* With the lock held; until there is something to do. */
static void wait_for_request(struct reloader *r)
{
    while (!atomic_load(&r->is_stopping) && r->request == NULL &&
           !r->is_signalled && !r->has_changed) {
        struct timespec until;
        if (r->old == NULL) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += SWEEP_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&r->changed, &r->lock, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&r->lock);
        sweep(r);
        pthread_mutex_lock(&r->lock);
    }
}

static void answer(struct reloader *r, struct request *request)
{
    request->is_answered = true;
    pthread_cond_broadcast(&r->changed);
}

/* Who waits for an answer comes first. With the lock held. */
static void take_cause(struct reloader *r, struct reload_cause *cause)
{
    if (r->request != NULL) {
        cause->by = RELOAD_BY_CONTROL;
    } else if (r->is_signalled) {
        cause->by = RELOAD_BY_SIGNAL;
        r->is_signalled = false;
    } else {
        *cause = r->change;
        r->has_changed = false;
    }
    r->request = NULL;
}

/* With the lock held but for the load. */
static void serve_request(struct reloader *r)
{
    struct request *request = r->request;
    struct reload_result own = {.end = RELOAD_REFUSED};
    struct reload_result *result = request != NULL ? request->result : &own;
    struct reload_cause cause;
    diags_init(&own.diags);
    take_cause(r, &cause);
    r->is_loading = true;
    r->is_renewing = cause.by == RELOAD_BY_FILE;
    pthread_mutex_unlock(&r->lock);
    reload(r, &cause, result);
    reload_log(&r->host, result, &cause);
    diags_release(&own.diags);
    pthread_mutex_lock(&r->lock);
    r->is_loading = false;
    if (request != NULL)
        answer(r, request);
}

static void *run(void *argument)
{
    struct reloader *r = argument;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    pthread_mutex_lock(&r->lock);
    for (;;) {
        wait_for_request(r);
        if (atomic_load(&r->is_stopping))
            break;
        serve_request(r);
    }
    if (r->request != NULL) {
        r->request->result->end = RELOAD_STOPPING;
        answer(r, r->request);
        r->request = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

struct reloader *reloader_new(const struct settings *settings,
                              const struct reloader_host *host)
{
    struct reloader *r = calloc(1, sizeof *r);
    pthread_condattr_t monotonic;
    if (r == NULL)
        return NULL;
    r->host = *host;
    r->base = settings;
    r->newest = settings_ref(settings);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r->has_thread = pthread_create(&r->thread, NULL, run, r) == 0;
    if (r->has_thread)
        return r;
    reloader_free(r);
    return NULL;
}

void reloader_stop(struct reloader *r)
{
    if (r == NULL || !r->has_thread)
        return;
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->is_stopping, true);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    r->has_thread = false;
}

void reloader_free(struct reloader *r)
{
    if (r == NULL)
        return;
    reloader_stop(r);
    while (r->old != NULL) {
        struct old_snapshot *old = r->old;
        r->old = old->next;
        settings_unref(old->settings);
        free(old);
    }
    settings_unref(r->newest);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

void reloader_signal(struct reloader *r)
{
    pthread_mutex_lock(&r->lock);
    r->is_signalled = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void reloader_renew(struct reloader *r, const struct file *changed,
                    size_t count)
{
    pthread_mutex_lock(&r->lock);
    r->change.by = RELOAD_BY_FILE;
    r->change.kind = changed->kind;
    r->change.others = count - 1;
    snprintf(r->change.path, sizeof r->change.path, "%s", changed->path);
    r->has_changed = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void reloader_ask(struct reloader *r, struct reload_result *result)
{
    struct request request = {.result = result};
    *result = (struct reload_result){.end = RELOAD_STOPPING};
    diags_init(&result->diags);
    pthread_mutex_lock(&r->lock);
    if ((r->is_loading && !r->is_renewing) || r->request != NULL) {
        result->end = RELOAD_BUSY;
    } else if (!atomic_load(&r->is_stopping)) {
        r->request = &request;
        pthread_cond_broadcast(&r->changed);
        while (!request.is_answered)
            pthread_cond_wait(&r->changed, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

void reload_result_release(struct reload_result *result)
{
    diags_release(&result->diags);
}

const struct settings *reloader_policy(struct reloader *r)
{
    pthread_mutex_lock(&r->lock);
    const struct settings *newest = settings_ref(r->newest);
    pthread_mutex_unlock(&r->lock);
    return newest;
}
