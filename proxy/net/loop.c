/* The end of a turn comes twice in an iteration of libuv: before it polls
 * (after timers) and behind its I/O callbacks. What is queued in a close
 * callback or before loop_run() is run by the next one of these. */
#include "proxy/net/loop.h"

#include "proxy/net/key_link.h"
#include "proxy/net/loop_internal.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* How often what was queued by the queued is run in the same turn. The rest
 * waits for the next, so that timers and sockets get their share. */
#define PASSES_MAX 4

static bool has_later(const struct loop *loop)
{
    return loop->first != NULL;
}

static void run_one_pass(struct loop *loop)
{
    struct loop_later *later = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    while (later != NULL) {
        /* `run` may free it. */
        struct loop_later *next = later->next;
        later->next = NULL;
        later->is_queued = false;
        later->run(later);
        later = next;
    }
}

static void end_turn(struct loop *loop)
{
    for (int i = 0; i < PASSES_MAX && has_later(loop); i++)
        run_one_pass(loop);
    if (!has_later(loop))
        uv_idle_stop(&loop->no_sleep);
}

static void on_before_poll(uv_prepare_t *handle)
{
    end_turn(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    end_turn(handle->data);
}

/* An active idle handle makes libuv poll without waiting. */
static void on_no_sleep(uv_idle_t *handle)
{
    (void)handle;
}

/* libuv writes with write(): to a peer that is gone it must fail, not kill
 * the process. */
static void ignore_sigpipe(void)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignored, NULL);
}

struct loop *loop_new(void)
{
    ignore_sigpipe();
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return NULL;
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }
    loop->last = &loop->first;
    spare_blocks_init(&loop->spare, OCTET_QUEUE_SMALLEST, LOOP_SPARE_BLOCKS);
    uv_prepare_init(&loop->uv, &loop->before_poll);
    uv_check_init(&loop->uv, &loop->after_poll);
    uv_idle_init(&loop->uv, &loop->no_sleep);
    loop->before_poll.data = loop;
    loop->after_poll.data = loop;
    uv_prepare_start(&loop->before_poll, on_before_poll);
    uv_check_start(&loop->after_poll, on_after_poll);
    uv_unref((uv_handle_t *)&loop->before_poll);
    uv_unref((uv_handle_t *)&loop->after_poll);
    return loop;
}

static void cut_leaving(struct loop *loop)
{
    while (loop->leaving != NULL) {
        struct loop_leaving *leaving = loop->leaving;
        leaving->cut(leaving);
        assert(loop->leaving != leaving);
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    cut_leaving(loop);
    key_link_close(loop);
    loop_run(loop);
    uv_close((uv_handle_t *)&loop->before_poll, NULL);
    uv_close((uv_handle_t *)&loop->after_poll, NULL);
    uv_close((uv_handle_t *)&loop->no_sleep, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int is_busy = uv_loop_close(&loop->uv);
    assert(is_busy == 0);
    spare_blocks_release(&loop->spare);
    free(loop);
}

/* libuv returns when no handle is active, even if something is queued. */
void loop_run(struct loop *loop)
{
    int is_stopped;
    do {
        end_turn(loop);
        is_stopped = uv_run(&loop->uv, UV_RUN_DEFAULT);
    } while (is_stopped == 0 && has_later(loop));
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t loop_now_ms(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t loop_clock_us(const struct loop *loop)
{
    (void)loop;
    return uv_hrtime() / 1000;
}

uint64_t loop_wall_us(const struct loop *loop)
{
    (void)loop;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void loop_later(struct loop *loop, struct loop_later *later)
{
    if (later->is_queued)
        return;
    later->is_queued = true;
    later->next = NULL;
    *loop->last = later;
    loop->last = &later->next;
    uv_idle_start(&loop->no_sleep, on_no_sleep);
}

void loop_leaving_add(struct loop *loop, struct loop_leaving *leaving)
{
    leaving->previous = NULL;
    leaving->next = loop->leaving;
    if (leaving->next != NULL)
        leaving->next->previous = leaving;
    loop->leaving = leaving;
}

void loop_leaving_remove(struct loop *loop, struct loop_leaving *leaving)
{
    if (leaving->previous != NULL)
        leaving->previous->next = leaving->next;
    else
        loop->leaving = leaving->next;
    if (leaving->next != NULL)
        leaving->next->previous = leaving->previous;
    leaving->next = NULL;
    leaving->previous = NULL;
}
