#include "proxy/control/files_watch.h"

#include "proxy/log/quiet_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 500
/* Loops go first where there are more threads than cores. */
#define NICE 10

struct files_watch {
    struct server_log *log;
    void (*on_change)(void *owner, const struct file *changed, size_t count);
    void *owner;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct files *files;
    bool is_ending;
};

static void tell_gone(void *owner, const struct file *file)
{
    const struct files_watch *watch = owner;
    server_log_write(watch->log, SERVER_WARNING,
                     "%s %s is gone: what it held is kept until there is "
                     "another one",
                     file_kind_name(file->kind), file->path);
}

/* With the lock held, but for the telling. How long to wait for the next. */
static long look(struct files_watch *watch)
{
    struct files_news news = {.on_gone = tell_gone, .owner = watch};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    switch (files_look(watch->files, &now, &news)) {
    case FILES_RESTLESS:
        return FILES_REST_MS;
    case FILES_CHANGED:
        watch->on_change(watch->owner, news.changed, news.count);
        break;
    case FILES_SAME:
        break;
    }
    return LOOK_MS;
}

/* With the lock held. */
static void wait_ms(struct files_watch *watch, long ms)
{
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!watch->is_ending && error == 0)
        error = pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
}

static void *run(void *argument)
{
    struct files_watch *watch = argument;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    pthread_mutex_lock(&watch->lock);
    wait_ms(watch, LOOK_MS);
    while (!watch->is_ending)
        wait_ms(watch, look(watch));
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

struct files_watch *files_watch_new(struct files *files, struct server_log *log)
{
    struct files_watch *watch = calloc(1, sizeof *watch);
    pthread_condattr_t monotonic;
    if (watch == NULL)
        return NULL;
    watch->log = log;
    watch->files = files;
    files_forget(files);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return watch;
}

void files_watch_free(struct files_watch *watch)
{
    if (watch == NULL)
        return;
    files_watch_stop(watch);
    files_free(watch->files);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

int files_watch_start(struct files_watch *watch,
                      void (*on_change)(void *owner, const struct file *changed,
                                        size_t count),
                      void *owner)
{
    watch->on_change = on_change;
    watch->owner = owner;
    watch->has_thread = quiet_thread_start(&watch->thread, run, watch) == 0;
    return watch->has_thread ? 0 : -1;
}

void files_watch_stop(struct files_watch *watch)
{
    if (watch == NULL || !watch->has_thread)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_ending = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    watch->has_thread = false;
}

/* --- the reloader's side --- */

static struct files *fetch(void *owner, bool is_whole)
{
    struct files_watch *watch = owner;
    if (is_whole)
        return files_from_disk();
    pthread_mutex_lock(&watch->lock);
    struct files *files = files_renewed_from(watch->files);
    pthread_mutex_unlock(&watch->lock);
    return files;
}

static const struct files *newest(void *owner)
{
    const struct files_watch *watch = owner;
    return watch->files;
}

static void keep(void *owner, struct files *files)
{
    struct files_watch *watch = owner;
    files_forget(files);
    pthread_mutex_lock(&watch->lock);
    struct files *before = watch->files;
    watch->files = files;
    pthread_mutex_unlock(&watch->lock);
    files_free(before);
}

struct files_source files_watch_source(struct files_watch *watch)
{
    return (struct files_source){
        .fetch = fetch, .newest = newest, .keep = keep, .owner = watch};
}
