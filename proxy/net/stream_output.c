/* Output goes from the owner's queue, through the engine if there is one, to
 * the kernel. What the kernel does not take at once is copied for libuv, so
 * that the queues may grow and move meanwhile. */
#include "proxy/net/stream_internal.h"

#include <stdlib.h>

/* What is written in pieces of this size goes at once. */
#define DIRECT_MIN ((size_t)16 * 1024)

static void note_if_drained(struct stream *stream)
{
    if (stream->is_above_low && stream_pending(stream) <= STREAM_OUTPUT_LOW) {
        stream->is_above_low = false;
        stream->untold |= EVENT_DRAINED;
    }
}

static void free_writing(struct stream *stream)
{
    octet_queue_release(&stream->writing->octets);
    free(stream->writing);
    stream->writing = NULL;
}

static void on_written(uv_write_t *request, int status)
{
    struct stream *stream = request->data;
    free_writing(stream);
    if (stream->state == STREAM_GONE)
        return;
    if (status != 0)
        stream_note_end(stream, STREAM_END_RESET, uv_strerror(status));
    stream_turn(stream);
}

static void encrypt(struct stream *stream)
{
    if (stream->state == STREAM_SECURING)
        return;
    size_t taken =
        tls_engine_write(stream->engine, octet_queue_view(&stream->output));
    octet_queue_drop(&stream->output, taken);
    if (stream->state == STREAM_FLUSHING && stream->output.size == 0)
        tls_engine_close(stream->engine);
}

static struct str next_octets(struct stream *stream)
{
    struct str output = octet_queue_view(&stream->output);
    if (stream->clear_octets > 0)
        return str_head(output, stream->clear_octets);
    if (stream->engine == NULL)
        return output;
    encrypt(stream);
    return tls_engine_output(stream->engine);
}

static void forget_octets(struct stream *stream, size_t octets)
{
    if (stream->clear_octets > 0) {
        stream->clear_octets -= octets;
        octet_queue_drop(&stream->output, octets);
    } else if (stream->engine == NULL) {
        octet_queue_drop(&stream->output, octets);
    } else {
        tls_engine_sent(stream->engine, octets);
    }
}

static int write_later(struct stream *stream, struct str octets)
{
    struct stream_writing *writing = calloc(1, sizeof *writing);
    if (writing == NULL)
        return UV_ENOMEM;
    stream->writing = writing;
    octets = str_head(octets, STREAM_WRITE_MAX);
    octet_queue_init(&writing->octets, STREAM_WRITE_MAX);
    octet_queue_expect_secrets(&writing->octets, stream->output.is_to_wipe);
    int result = octet_queue_add(&writing->octets, octets);
    if (result != 0) {
        free_writing(stream);
        return UV_ENOMEM;
    }
    uv_buf_t buffer =
        uv_buf_init(writing->octets.octets, (unsigned)writing->octets.size);
    writing->request.data = stream;
    result = uv_write(&writing->request, (uv_stream_t *)&stream->tcp, &buffer,
                      1, on_written);
    if (result == 0)
        forget_octets(stream, octets.n);
    else
        free_writing(stream);
    return result;
}

/* Nothing left: 1. Under way: 0. Otherwise libuv's error. */
static int send_all(struct stream *stream)
{
    for (;;) {
        struct str octets = next_octets(stream);
        if (octets.n == 0)
            return 1;
        uv_buf_t buffer =
            uv_buf_init((char *)(uintptr_t)octets.p, (unsigned)octets.n);
        int sent = uv_try_write((uv_stream_t *)&stream->tcp, &buffer, 1);
        if (sent == UV_EAGAIN)
            return write_later(stream, octets);
        if (sent < 0)
            return sent;
        forget_octets(stream, (size_t)sent);
    }
}

/* After a failure of TLS there is the alert, which says why. */
static bool can_send(const struct stream *stream)
{
    return stream->writing == NULL &&
           (stream->state == STREAM_OPEN || stream->state == STREAM_SECURING ||
            stream->state == STREAM_FLUSHING ||
            (stream->state == STREAM_FAILED && stream->end == STREAM_END_TLS));
}

static bool must_wait(const struct stream *stream)
{
    return stream->holds_output && stream->state == STREAM_OPEN &&
           stream->output.size <= STREAM_OUTPUT_LOW;
}

void stream_send_output(struct stream *stream)
{
    if (!can_send(stream) || must_wait(stream))
        return;
    int result = send_all(stream);
    if (result < 0)
        stream_note_end(stream, STREAM_END_RESET, uv_strerror(result));
    else if (result == 1 && stream->state == STREAM_FLUSHING)
        stream_linger(stream);
    else if (result == 1 && stream->state == STREAM_OPEN &&
             stream->output.size > 0)
        stream_note_end(stream, STREAM_END_TLS,
                        tls_engine_error(stream->engine));
    note_if_drained(stream);
}

/* What comes of it is told at the end of the turn, for which the write that
 * is sent here has asked. */
void stream_flush(struct stream *stream)
{
    if (stream->state == STREAM_OPEN && stream->output.size > 0)
        stream_send_output(stream);
}

static void on_held_long_enough(uv_timer_t *handle)
{
    stream_hold_output(handle->data, false);
}

/* The timer is of no other use while the stream is open. */
void stream_hold_output(struct stream *stream, bool is_held)
{
    if (stream->state != STREAM_OPEN || is_held == stream->holds_output)
        return;
    stream->holds_output = is_held;
    if (is_held) {
        uv_timer_start(&stream->timer, on_held_long_enough, STREAM_HOLD_MS, 0);
        return;
    }
    uv_timer_stop(&stream->timer);
    stream_touch(stream);
}

/* A large piece goes to the kernel from where it lies, behind what waits
 * already; what the kernel does not take is for the queue. */
static size_t write_through(struct stream *stream, struct str octets)
{
    if (octets.n < DIRECT_MIN || !can_send(stream) || must_wait(stream) ||
        stream->state != STREAM_OPEN || stream->engine != NULL)
        return 0;
    size_t queued = stream->output.size;
    uv_buf_t buffers[] = {
        uv_buf_init((char *)(uintptr_t)octet_queue_view(&stream->output).p,
                    (unsigned)queued),
        uv_buf_init((char *)(uintptr_t)octets.p, (unsigned)octets.n),
    };
    unsigned skipped = queued == 0 ? 1 : 0;
    int sent = uv_try_write((uv_stream_t *)&stream->tcp, buffers + skipped,
                            2 - skipped);
    /* A failure is met again, and told, where the queue is sent. */
    if (sent <= 0)
        return 0;
    if ((size_t)sent < queued) {
        octet_queue_drop(&stream->output, (size_t)sent);
        return 0;
    }
    octet_queue_drop(&stream->output, queued);
    return (size_t)sent - queued;
}

/* What is written to a stream that has failed goes nowhere: the owner will
 * hear of the failure, and need not ask at each write. */
int stream_write(struct stream *stream, struct str octets)
{
    if (stream->state == STREAM_FAILED)
        return 0;
    if (octets.n > STREAM_OUTPUT_MAX ||
        stream_pending(stream) > STREAM_OUTPUT_MAX - octets.n)
        return -1;
    octets = str_skip(octets, write_through(stream, octets));
    if (octet_queue_add(&stream->output, octets) != 0)
        return -1;
    if (stream_pending(stream) > STREAM_OUTPUT_LOW)
        stream->is_above_low = true;
    stream_touch(stream);
    return 0;
}

size_t stream_pending(const struct stream *stream)
{
    size_t pending = stream->output.size;
    if (stream->writing != NULL)
        pending += stream->writing->octets.size;
    if (stream->engine != NULL)
        pending += tls_engine_output(stream->engine).n;
    return pending;
}
