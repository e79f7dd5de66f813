#include "proxy/http/http_work.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/log/quiet_thread.h"

#define THREADS 2
#define TICK_MS 200

struct list {
    struct http_job *first, *last;
    size_t count;
};

struct http_work {
    void (*on_done)(struct http_job *job);
    void (*on_tick)(void *owner);
    void *owner;
    pthread_t threads[THREADS];
    size_t thread_count;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct list queue, searches, waiting;
    bool is_searching; /* one of the threads */
    uint64_t tick_ms;  /* when the next is due */
    bool is_ending;
};

static void push(struct list *list, struct http_job *job)
{
    job->next = NULL;
    if (list->last != NULL)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
    list->count++;
}

static struct http_job *pop(struct list *list)
{
    struct http_job *job = list->first;
    if (job == NULL)
        return NULL;
    list->first = job->next;
    if (list->first == NULL)
        list->last = NULL;
    list->count--;
    return job;
}

static void enqueue(struct http_work *work, struct http_job *job)
{
    push(job->route->is_search ? &work->searches : &work->queue, job);
}

static struct http_job *next_job(struct http_work *work)
{
    struct http_job *job = pop(&work->queue);
    if (job != NULL || work->is_searching)
        return job;
    job = pop(&work->searches);
    work->is_searching = job != NULL;
    return job;
}

/* What waits is asked again. Called with the lock, which is given up while
 * the owner has its turn. */
static void tick(struct http_work *work)
{
    uint64_t now_ms = control_now_ms();
    struct http_job *job;
    if (now_ms < work->tick_ms && !work->is_ending)
        return;
    work->tick_ms = now_ms + TICK_MS;
    while ((job = pop(&work->waiting)) != NULL)
        enqueue(work, job);
    pthread_mutex_unlock(&work->lock);
    work->on_tick(work->owner);
    pthread_mutex_lock(&work->lock);
}

static void rest(struct http_work *work)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    (void)pthread_cond_timedwait(&work->changed, &work->lock, &until);
}

/* Called without the lock. */
static void do_job(struct http_work *work, struct http_job *job)
{
    pthread_mutex_lock(&work->lock);
    job->is_due = work->is_ending || control_now_ms() >= job->until_ms ||
                  work->waiting.count >= HTTP_WORK_WAITING;
    pthread_mutex_unlock(&work->lock);
    if (job->route->run(job) == HTTP_DONE) {
        work->on_done(job);
        return;
    }
    pthread_mutex_lock(&work->lock);
    push(&work->waiting, job);
    pthread_mutex_unlock(&work->lock);
}

static void *run(void *argument)
{
    struct http_work *work = argument;
    pthread_mutex_lock(&work->lock);
    for (;;) {
        tick(work);
        struct http_job *job = next_job(work);
        if (job != NULL) {
            bool is_search = job->route->is_search;
            pthread_mutex_unlock(&work->lock);
            do_job(work, job); /* which may be gone then */
            pthread_mutex_lock(&work->lock);
            if (is_search)
                work->is_searching = false;
        } else if (!work->is_ending) {
            rest(work);
        } else if (work->waiting.count == 0) {
            break;
        }
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

struct http_work *http_work_new(void (*on_done)(struct http_job *job),
                                void (*on_tick)(void *owner), void *owner)
{
    pthread_condattr_t attributes;
    struct http_work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return NULL;
    work->on_done = on_done;
    work->on_tick = on_tick;
    work->owner = owner;
    pthread_mutex_init(&work->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&work->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    while (work->thread_count < THREADS &&
           quiet_thread_start(&work->threads[work->thread_count], run, work) ==
               0)
        work->thread_count++;
    if (work->thread_count > 0)
        return work;
    http_work_free(work);
    return NULL;
}

int http_work_add(struct http_work *work, struct http_job *job)
{
    pthread_mutex_lock(&work->lock);
    bool is_taken = !work->is_ending &&
                    work->queue.count + work->searches.count < HTTP_WORK_QUEUE;
    if (is_taken)
        enqueue(work, job);
    pthread_cond_signal(&work->changed);
    pthread_mutex_unlock(&work->lock);
    return is_taken ? 0 : -1;
}

void http_work_end(struct http_work *work)
{
    pthread_mutex_lock(&work->lock);
    work->is_ending = true;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->lock);
    for (size_t i = 0; i < work->thread_count; i++)
        pthread_join(work->threads[i], NULL);
    work->thread_count = 0;
}

void http_work_free(struct http_work *work)
{
    if (work == NULL)
        return;
    http_work_end(work);
    pthread_mutex_destroy(&work->lock);
    pthread_cond_destroy(&work->changed);
    free(work);
}
