/* The lock guards requests and who waits; a load holds none. */
#include "proxy/control/reloader.h"

#include "proxy/control/reload_check.h"
#include "proxy/control/reload_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Loops go first where there are more threads than cores. */
#define NICE 10

/* On the stack of who waits for it. */
struct request {
    struct reload_result *result;
    bool is_answered;
};

struct reloader {
    struct reloader_host host;
    const struct settings *newest; /* the thread's own: what the server runs
                                      with */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_stopping;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct request *request; /* not begun yet; NULL: none */
    bool is_signalled;
    bool has_changed; /* files have, and `change` says which */
    struct reload_cause change;
    bool is_loading;
    bool is_renewing; /* and that is about files alone */
};

/* Makes a snapshot, which is taken over, the newest: 0, or -1. */
static int go_live(struct reloader *r, struct reload_change *change,
                   const struct reload_cause *cause,
                   struct reload_result *result)
{
    const struct files_source *source = &r->host.source;
    bool is_same =
        cause->by == RELOAD_BY_FILE && reload_is_same(r->newest, change->fresh);
    if (r->host.take_up(r->host.owner, change, &result->diags) != 0) {
        settings_unref(change->fresh);
        return -1;
    }
    memcpy(result->after, change->fresh->policy_digest, sizeof result->after);
    memcpy(result->sections, change->sections, sizeof result->sections);
    reload_name_changes(source->newest(source->owner), change->files, result);
    result->is_same = is_same && result->renewed_count == 0;
    settings_unref(r->newest);
    r->newest = change->fresh;
    source->keep(source->owner, change->files);
    return 0;
}

static void reload(struct reloader *r, const struct reload_cause *cause,
                   struct reload_result *result)
{
    const struct files_source *source = &r->host.source;
    bool is_whole = cause->by != RELOAD_BY_FILE;
    struct reload_change change = {.files =
                                       source->fetch(source->owner, is_whole)};
    memcpy(result->before, r->newest->policy_digest, sizeof result->before);
    result->end = RELOAD_REFUSED;
    if (change.files == NULL)
        diags_error(&result->diags, (struct mark){.file = r->newest->path},
                    "out of memory");
    else
        reload_load(r->newest, is_whole, &r->is_stopping, &change, result);
    if (change.fresh != NULL && go_live(r, &change, cause, result) == 0) {
        result->end = RELOAD_LIVE;
        return;
    }
    files_free(change.files);
    if (atomic_load(&r->is_stopping))
        result->end = RELOAD_STOPPING;
}

/* With the lock held; until there is something to do. */
static void wait_for_request(struct reloader *r)
{
    while (!atomic_load(&r->is_stopping) && r->request == NULL &&
           !r->is_signalled && !r->has_changed)
        pthread_cond_wait(&r->changed, &r->lock);
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
    if (r == NULL)
        return NULL;
    r->host = *host;
    r->newest = settings_ref(settings);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
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

bool reloader_is_busy(struct reloader *r)
{
    pthread_mutex_lock(&r->lock);
    bool is_busy = r->is_loading || r->request != NULL;
    pthread_mutex_unlock(&r->lock);
    return is_busy;
}

void reload_result_release(struct reload_result *result)
{
    diags_release(&result->diags);
}
