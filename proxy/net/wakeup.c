#include "proxy/net/loop_internal.h"

#include <assert.h>
#include <stdlib.h>

struct wakeup {
    uv_async_t async;
    void (*on_wakeup)(void *owner);
    void *owner;
};

static void on_async(uv_async_t *handle)
{
    struct wakeup *wakeup = handle->data;
    wakeup->on_wakeup(wakeup->owner);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct wakeup *wakeup_new(struct loop *loop, void (*on_wakeup)(void *owner),
                          void *owner)
{
    struct wakeup *wakeup = calloc(1, sizeof(*wakeup));
    if (wakeup == NULL)
        return NULL;
    if (uv_async_init(&loop->uv, &wakeup->async, on_async) != 0) {
        free(wakeup);
        return NULL;
    }
    wakeup->async.data = wakeup;
    wakeup->on_wakeup = on_wakeup;
    wakeup->owner = owner;
    return wakeup;
}

void wakeup_wake(struct wakeup *wakeup)
{
    int result = uv_async_send(&wakeup->async);
    assert(result == 0);
}

void wakeup_free(struct wakeup *wakeup)
{
    if (wakeup != NULL)
        uv_close((uv_handle_t *)&wakeup->async, on_closed);
}
