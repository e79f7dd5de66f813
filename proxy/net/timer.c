#include "proxy/net/timer.h"

#include "proxy/net/loop_internal.h"

#include <stdlib.h>

struct timer {
    uv_timer_t uv;
    void (*on_timer)(void *owner);
    void *owner;
};

static void on_expired(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    timer->on_timer(timer->owner);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct timer *timer_new(struct loop *loop, void (*on_timer)(void *owner),
                        void *owner)
{
    struct timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->on_timer = on_timer;
    timer->owner = owner;
    return timer;
}

void timer_start(struct timer *timer, uint64_t ms)
{
    uv_timer_start(&timer->uv, on_expired, ms, 0);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void timer_free(struct timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->uv, on_closed);
}
