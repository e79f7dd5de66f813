/* Old snapshots are looked at from time to time: the reference that is held
 * here may be the last one. */
#include "proxy/control/snapshots.h"

#include <pthread.h>
#include <stdlib.h>
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

struct snapshots {
    const struct settings *base;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    const struct settings *newest;
    struct old_snapshot *old;
    bool is_ending;
};

/* With the lock held, which is given up while one is freed. */
static void sweep(struct snapshots *s)
{
    struct old_snapshot **at = &s->old;
    while (*at != NULL) {
        struct old_snapshot *old = *at;
        bool is_base = old->settings == s->base;
        /* Whoever made the first one has another reference. */
        if (!settings_has_references(old->settings, is_base ? 2 : 1)) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        pthread_mutex_unlock(&s->lock);
        if (is_base)
            settings_drop_rules(old->settings);
        settings_unref(old->settings);
        free(old);
        pthread_mutex_lock(&s->lock);
        at = &s->old;
    }
}

/* With the lock held; longer when there is nothing to look at. */
static void rest(struct snapshots *s)
{
    struct timespec until;
    if (s->old == NULL) {
        pthread_cond_wait(&s->changed, &s->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SWEEP_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&s->changed, &s->lock, &until);
}

static void *run(void *argument)
{
    struct snapshots *s = argument;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    pthread_mutex_lock(&s->lock);
    while (!s->is_ending) {
        rest(s);
        sweep(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct snapshots *snapshots_new(const struct settings *base)
{
    struct snapshots *s = calloc(1, sizeof *s);
    pthread_condattr_t monotonic;
    if (s == NULL)
        return NULL;
    s->base = base;
    s->newest = settings_ref(base);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->has_thread = pthread_create(&s->thread, NULL, run, s) == 0;
    if (s->has_thread)
        return s;
    snapshots_free(s);
    return NULL;
}

static void end_thread(struct snapshots *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_ending = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
}

void snapshots_free(struct snapshots *s)
{
    if (s == NULL)
        return;
    if (s->has_thread)
        end_thread(s);
    while (s->old != NULL) {
        struct old_snapshot *old = s->old;
        s->old = old->next;
        settings_unref(old->settings);
        free(old);
    }
    settings_unref(s->newest);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int snapshots_take(struct snapshots *s, const struct settings *fresh)
{
    struct old_snapshot *old = malloc(sizeof *old);
    if (old == NULL)
        return -1;
    pthread_mutex_lock(&s->lock);
    *old = (struct old_snapshot){s->old, s->newest};
    s->old = old;
    s->newest = fresh;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

const struct settings *snapshots_newest(struct snapshots *s)
{
    pthread_mutex_lock(&s->lock);
    const struct settings *newest = settings_ref(s->newest);
    pthread_mutex_unlock(&s->lock);
    return newest;
}
