#include "proxy/login/users_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 500
/* Loops go first where there are more threads than cores. */
#define NICE 10

struct users_watch {
    struct book_keeper *keeper;
    struct server_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_ending;
};

/* True when it is to end. */
static bool wait_or_end(struct users_watch *watch, long ms)
{
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_ending && error == 0)
        error = pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
    bool is_ending = watch->is_ending;
    pthread_mutex_unlock(&watch->lock);
    return is_ending;
}

static void *run(void *argument)
{
    struct users_watch *watch = argument;
    long wait_ms = LOOK_MS;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    while (!wait_or_end(watch, wait_ms))
        wait_ms = book_keeper_look(watch->keeper, watch->log) ? BOOK_REST_MS
                                                              : LOOK_MS;
    return NULL;
}

static int start(struct users_watch *watch)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&watch->thread, NULL, run, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void release(struct users_watch *watch)
{
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

struct users_watch *users_watch_new(struct book_keeper *keeper,
                                    struct server_log *log)
{
    struct users_watch *watch = calloc(1, sizeof *watch);
    pthread_condattr_t monotonic;
    if (watch == NULL)
        return NULL;
    watch->keeper = keeper;
    watch->log = log;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(watch) == 0)
        return watch;
    release(watch);
    return NULL;
}

void users_watch_free(struct users_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_ending = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    release(watch);
}
