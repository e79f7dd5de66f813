#include "tests/dialogue/fake_net.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/dialogue/alloc_fault.h"

/* Monday, 2026-01-05 09:30:00 UTC. */
#define WALL_START_US 1767605400000000u
/* The monotonic clock of a machine that is up for a while. */
#define CLOCK_START_US 5000000000u

struct wakeup {
    struct wakeup *next;
    struct loop *loop;
    void (*on_wakeup)(void *owner);
    void *owner;
    bool is_due, is_freed;
};

void fake_net_init(struct loop *loop)
{
    *loop = (struct loop){0};
}

static void free_far_ends(struct loop *loop)
{
    while (loop->far_ends) {
        struct far_end *far = loop->far_ends;
        loop->far_ends = far->next;
        octets_release(&far->said);
        octets_release(&far->heard);
        plain_free(far);
    }
}

bool fake_net_release(struct loop *loop, const char **what)
{
    *what = loop->streams       ? "a stream"
            : loop->timers      ? "a timer"
            : loop->jobs        ? "a job"
            : loop->wakeups     ? "a wake-up"
            : loop->later_first ? "something for later"
                                : NULL;
    free_far_ends(loop);
    return !*what;
}

struct loop *loop_new(void)
{
    struct loop *loop = plain_alloc(sizeof *loop);
    fake_net_init(loop);
    return loop;
}

void loop_free(struct loop *loop)
{
    const char *what;
    fake_net_release(loop, &what);
    plain_free(loop);
}

/* The runner turns the loop; what it drives never does. */
void loop_run(struct loop *loop)
{
    assert(!loop);
}

void loop_stop(struct loop *loop)
{
    assert(!loop);
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return (CLOCK_START_US + loop->now_us) / 1000;
}

uint64_t loop_clock_us(const struct loop *loop)
{
    return CLOCK_START_US + loop->now_us;
}

uint64_t loop_wall_us(const struct loop *loop)
{
    return WALL_START_US + loop->now_us;
}

void loop_later(struct loop *loop, struct loop_later *later)
{
    if (later->is_queued)
        return;
    later->is_queued = true;
    later->next = NULL;
    if (loop->later_last)
        loop->later_last->next = later;
    else
        loop->later_first = later;
    loop->later_last = later;
}

static bool run_later(struct loop *loop)
{
    bool did = false;
    while (loop->later_first) {
        struct loop_later *later = loop->later_first;
        loop->later_first = later->next;
        if (!loop->later_first)
            loop->later_last = NULL;
        later->is_queued = false;
        alloc_fault_enter();
        later->run(later);
        alloc_fault_leave();
        did = true;
    }
    return did;
}

struct wakeup *wakeup_new(struct loop *loop, void (*on_wakeup)(void *owner),
                          void *owner)
{
    if (alloc_fault_strikes())
        return NULL;
    struct wakeup *wakeup = plain_alloc(sizeof *wakeup);
    *wakeup =
        (struct wakeup){loop->wakeups, loop, on_wakeup, owner, false, false};
    loop->wakeups = wakeup;
    return wakeup;
}

void wakeup_wake(struct wakeup *wakeup)
{
    wakeup->is_due = true;
}

void wakeup_free(struct wakeup *wakeup)
{
    if (wakeup)
        wakeup->is_freed = true;
}

static bool run_wakeups(struct loop *loop)
{
    bool did = false;
    for (struct wakeup *w = loop->wakeups; w; w = w->next)
        if (w->is_due && !w->is_freed) {
            w->is_due = false;
            alloc_fault_enter();
            w->on_wakeup(w->owner);
            alloc_fault_leave();
            did = true;
        }
    return did;
}

static void sweep_wakeups(struct loop *loop)
{
    struct wakeup **at = &loop->wakeups;
    while (*at) {
        struct wakeup *wakeup = *at;
        if (!wakeup->is_freed) {
            at = &wakeup->next;
            continue;
        }
        *at = wakeup->next;
        plain_free(wakeup);
    }
}

bool fake_net_turn(struct loop *loop)
{
    bool did = run_wakeups(loop);
    did |= fake_jobs_turn(loop);
    did |= fake_timers_turn(loop);
    did |= fake_streams_turn(loop);
    did |= run_later(loop);
    sweep_wakeups(loop);
    fake_timers_sweep(loop);
    fake_streams_sweep(loop);
    return did;
}

uint64_t fake_net_next_us(const struct loop *loop, uint64_t limit_us)
{
    uint64_t next = fake_timers_next_us(loop, limit_us);
    return fake_streams_next_us(loop, next);
}

struct far_end *far_end_new(struct loop *loop, char side)
{
    struct far_end *far = plain_alloc(sizeof *far);
    far->side = side;
    far->number = side == 'C' ? ++loop->clients : ++loop->upstreams;
    far->fd = -1;
    struct far_end **at = &loop->far_ends;
    while (*at)
        at = &(*at)->next;
    *at = far;
    return far;
}

struct far_end *far_end_find(const struct loop *loop, char side, size_t number)
{
    struct far_end *far = loop->far_ends;
    while (far && (far->side != side || far->number != number))
        far = far->next;
    return far;
}

void far_end_say(struct far_end *far, struct str octets)
{
    octets_append(&far->said, octets);
    far->said_total += octets.n;
}

void far_end_saw(struct far_end *far, enum far_event_kind kind,
                 const char *text)
{
    size_t room = sizeof far->events / sizeof *far->events;
    assert(far->event_count < room);
    struct far_event *event = &far->events[far->event_count++];
    event->kind = kind;
    event->at = far->heard_total;
    snprintf(event->text, sizeof event->text, "%s", text);
}
