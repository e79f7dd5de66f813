#include "proxy/net/timer.h"

#include "proxy/net/loop_internal.h"

#include <stdlib.h>

/* Deadlines are mostly put off before they are due: then the clock's own is
 * left as it is, and set anew when it comes too early. */
struct timer {
    uv_timer_t uv;
    uint64_t due_ms; /* of the loop's clock */
    void (*on_timer)(void *owner);
    void *owner;
};

static void on_expired(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    uint64_t now_ms = uv_now(handle->loop);
    if (now_ms < timer->due_ms)
        uv_timer_start(handle, on_expired, timer->due_ms - now_ms, 0);
    else
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
    uint64_t left_ms = uv_timer_get_due_in(&timer->uv);
    bool is_armed = uv_is_active((uv_handle_t *)&timer->uv) != 0;
    timer->due_ms = uv_now(timer->uv.loop) + ms;
    if (timer->due_ms < ms) /* beyond the end of the clock */
        timer->due_ms = UINT64_MAX;
    if (!is_armed || left_ms > ms)
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
