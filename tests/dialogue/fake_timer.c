#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/fake_net.h"

struct timer {
    struct timer *next;
    struct loop *loop;
    void (*on_timer)(void *owner);
    void *owner;
    uint64_t due_us;
    bool is_started, is_freed;
};

struct timer *timer_new(struct loop *loop, void (*on_timer)(void *owner),
                        void *owner)
{
    if (alloc_fault_strikes())
        return NULL;
    struct timer *timer = plain_alloc(sizeof *timer);
    timer->loop = loop;
    timer->on_timer = on_timer;
    timer->owner = owner;
    timer->next = loop->timers;
    loop->timers = timer;
    return timer;
}

void timer_start(struct timer *timer, uint64_t ms)
{
    timer->is_started = true;
    timer->due_us = timer->loop->now_us + ms * 1000;
}

void timer_stop(struct timer *timer)
{
    timer->is_started = false;
}

void timer_free(struct timer *timer)
{
    if (timer)
        timer->is_freed = true;
}

static bool is_live(const struct timer *timer)
{
    return timer->is_started && !timer->is_freed;
}

/* The earliest first; one that starts itself anew for now waits a turn. */
bool fake_timers_turn(struct loop *loop)
{
    struct timer *first = NULL;
    for (struct timer *t = loop->timers; t; t = t->next)
        if (is_live(t) && t->due_us <= loop->now_us &&
            (!first || t->due_us < first->due_us))
            first = t;
    if (!first)
        return false;
    first->is_started = false;
    alloc_fault_enter();
    first->on_timer(first->owner);
    alloc_fault_leave();
    return true;
}

void fake_timers_sweep(struct loop *loop)
{
    struct timer **at = &loop->timers;
    while (*at) {
        struct timer *timer = *at;
        if (!timer->is_freed) {
            at = &timer->next;
            continue;
        }
        *at = timer->next;
        plain_free(timer);
    }
}

uint64_t fake_timers_next_us(const struct loop *loop, uint64_t limit_us)
{
    uint64_t next = limit_us;
    for (struct timer *t = loop->timers; t; t = t->next)
        if (is_live(t) && t->due_us < next)
            next = t->due_us;
    return next;
}
