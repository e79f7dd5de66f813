/* One-shot timers on a loop. The struct timer is opaque and owned by the
 * maker; timer_free() stops it, and its callback never runs again. */
#ifndef PROXY_NET_TIMER_H
#define PROXY_NET_TIMER_H

#include "proxy/net/loop.h"

struct timer;

struct timer *timer_new(struct loop *loop, void (*on_timer)(void *owner),
                        void *owner);
/* Starts, or starts anew. */
void timer_start(struct timer *timer, uint64_t ms);
void timer_stop(struct timer *timer);
void timer_free(struct timer *timer);

#endif
