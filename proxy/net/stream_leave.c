/* How a stream ends once its owner has let go: flushing, lingering, gone. */
#include "proxy/net/stream_internal.h"

#include <assert.h>
#include <stdlib.h>

static void on_time_over(uv_timer_t *handle)
{
    stream_vanish(handle->data);
}

static void on_cut(struct loop_leaving *leaving)
{
    stream_vanish(
        (struct stream *)((char *)leaving - offsetof(struct stream, leaving)));
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    struct stream *stream = request->data;
    if (status != 0 && stream->state == STREAM_LINGERING)
        stream_vanish(stream);
}

/* Our FIN is out. Closing now could make the kernel answer what the peer
 * still sends with RST, and an RST may overtake the last reply on the peer's
 * side: RFC 1122 4.2.2.13. */
void stream_linger(struct stream *stream)
{
    stream->state = STREAM_LINGERING;
    stream->shutdown.data = stream;
    if (uv_shutdown(&stream->shutdown, (uv_stream_t *)&stream->tcp,
                    on_shut_down) != 0) {
        stream_vanish(stream);
        return;
    }
    uv_timer_start(&stream->timer, on_time_over, STREAM_LINGER_MS, 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct stream *stream = handle->data;
    stream->open_handles--;
    stream_free_if_gone(stream);
}

void stream_free_if_gone(struct stream *stream)
{
    if (stream->open_handles > 0 || stream->later.is_queued)
        return;
    free(stream->error);
    free(stream);
}

static void release(struct stream *stream)
{
    if (stream->state == STREAM_FLUSHING || stream->state == STREAM_LINGERING)
        loop_leaving_remove(stream->loop, &stream->leaving);
    stream->state = STREAM_GONE;
    if (stream->dial != NULL)
        dial_cancel(stream->dial);
    stream->dial = NULL;
    key_link_forget(stream->loop, &stream->key);
    tls_engine_free(stream->engine);
    stream->engine = NULL;
    octet_queue_release(&stream->input);
    octet_queue_release(&stream->output);
    uv_close((uv_handle_t *)&stream->timer, on_handle_closed);
}

void stream_vanish(struct stream *stream)
{
    release(stream);
    uv_close((uv_handle_t *)&stream->tcp, on_handle_closed);
}

static bool is_worth_flushing(const struct stream *stream)
{
    /* After a failure of TLS the alert is on its way. */
    return stream->state == STREAM_OPEN || stream->state == STREAM_SECURING ||
           (stream->state == STREAM_FAILED && stream->end == STREAM_END_TLS);
}

void stream_close(struct stream *stream)
{
    assert(stream_has_owner(stream));
    if (!is_worth_flushing(stream)) {
        stream_vanish(stream);
        return;
    }
    /* What waits for a handshake that will not end now has no way out. */
    if (stream->state != STREAM_OPEN) {
        octet_queue_release(&stream->output);
        stream->clear_octets = 0;
    }
    octet_queue_release(&stream->input);
    stream->state = STREAM_FLUSHING;
    stream->leaving.cut = on_cut;
    loop_leaving_add(stream->loop, &stream->leaving);
    uv_timer_start(&stream->timer, on_time_over, STREAM_FLUSH_MS, 0);
    stream_touch(stream);
}

void stream_abort(struct stream *stream)
{
    assert(stream_has_owner(stream));
    release(stream);
    /* Fails where there is no socket yet. */
    if (uv_tcp_close_reset(&stream->tcp, on_handle_closed) != 0)
        uv_close((uv_handle_t *)&stream->tcp, on_handle_closed);
}
