/* The event loop of one thread: wraps uv_loop_t, its clock, and what happens
 * at the end of each turn (flushing output, reaping the closed). */
#ifndef PROXY_NET_LOOP_H
#define PROXY_NET_LOOP_H

#include "rules/base/str.h"

struct loop;

/* NULL when out of memory or descriptors. The process ignores SIGPIPE from
 * then on. */
struct loop *loop_new(void);
/* All its streams, timers and jobs must have been closed. Streams that are
 * still flushing or lingering are cut off; what was put off by loop_later()
 * is run. */
void loop_free(struct loop *loop);
/* Runs until loop_stop(), or until nothing is left to wait for. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Milliseconds of a monotonic clock, read once a turn. */
uint64_t loop_now_ms(const struct loop *loop);
/* Microseconds of the same clock, read at each call: for measuring. */
uint64_t loop_clock_us(const struct loop *loop);
/* Microseconds since the Unix epoch. */
uint64_t loop_wall_us(const struct loop *loop);

/* A function to be called once at the end of this turn, after all events of
 * the turn: for freeing objects that have closed. The struct is the owner's
 * (embedded) and may be freed inside the call, not before. Queued twice, it
 * runs once; it may be queued again from inside the call. */
struct loop_later {
    struct loop_later *next;
    void (*run)(struct loop_later *later);
    bool is_queued;
};
void loop_later(struct loop *loop, struct loop_later *later);

/* Wakes the loop from another thread: `on_wakeup` runs on the loop's thread
 * some time after loop_wake(), once or more often: "look again". */
struct wakeup;
struct wakeup *wakeup_new(struct loop *loop, void (*on_wakeup)(void *owner),
                          void *owner);
/* Thread-safe, also against itself; not after wakeup_free(). */
void wakeup_wake(struct wakeup *wakeup);
void wakeup_free(struct wakeup *wakeup);

#endif
