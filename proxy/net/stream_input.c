#include "proxy/net/stream_internal.h"

#include <stddef.h>
#include <string.h>

/* What comes in after the owner let go is read, so that the peer's last
 * octets can't turn our last reply into an RST, and thrown away. */
static bool is_discarding(const struct stream *stream)
{
    return stream->state == STREAM_FLUSHING ||
           stream->state == STREAM_LINGERING;
}

/* Under TLS all of it is decrypted at once, but for part of a record that was
 * begun before; that the engine keeps. */
static size_t read_room(const struct stream *stream)
{
    if (is_discarding(stream))
        return LOOP_SCRATCH;
    if (stream->engine != NULL && tls_engine_unread(stream->engine) > 0)
        return tls_engine_room(stream->engine);
    return octet_queue_room(&stream->input);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct stream *stream = handle->data;
    size_t room = read_room(stream);
    (void)suggested;
    *buffer =
        uv_buf_init(stream->loop->scratch,
                    (unsigned)(room < LOOP_SCRATCH ? room : LOOP_SCRATCH));
}

static void take_octets(struct stream *stream, struct str octets)
{
    if (is_discarding(stream))
        return;
    if (stream->engine != NULL) {
        tls_engine_lend(stream->engine, octets);
        return;
    }
    if (octet_queue_add(&stream->input, octets) != 0) {
        stream_note_end(stream, STREAM_END_MEMORY, "out of memory");
        return;
    }
    stream->untold |= EVENT_BYTES;
}

/* The scratch is the loop's, and the next read may be a long time off. What
 * came under TLS is not clear yet. */
static void wipe_scratch(const struct stream *stream, const uv_buf_t *buffer,
                         size_t octets)
{
    if (stream->expects_secrets && stream->engine == NULL)
        explicit_bzero(buffer->base, octets);
}

static void on_read(uv_stream_t *handle, ssize_t count, const uv_buf_t *buffer)
{
    struct stream *stream = handle->data;
    if (count > 0) {
        take_octets(stream, str_span(buffer->base, (size_t)count));
        wipe_scratch(stream, buffer, (size_t)count);
    } else if (count == UV_EOF) {
        stream->has_peer_ended = true;
    } else if (count < 0) {
        stream_note_end(stream, STREAM_END_RESET, uv_strerror((int)count));
    }
    if (count != 0)
        stream_turn(stream);
}

static void decrypt(struct stream *stream)
{
    while (!stream->is_paused &&
           tls_engine_advance(stream->engine) == TLS_OPEN &&
           tls_engine_pending(stream->engine) > 0) {
        size_t room = octet_queue_room(&stream->input);
        /* The text of a record is shorter than the record. */
        size_t most = tls_engine_pending(stream->engine) +
                      tls_engine_unread(stream->engine);
        if (room == 0)
            return;
        if (most > room)
            most = room;
        char *to = octet_queue_reserve(&stream->input, most);
        if (to == NULL) {
            stream_note_end(stream, STREAM_END_MEMORY, "out of memory");
            return;
        }
        size_t got = tls_engine_read(stream->engine, to, most);
        octet_queue_commit(&stream->input, got);
        stream->untold |= EVENT_BYTES;
    }
}

static bool is_engine_dry(const struct stream *stream)
{
    return tls_engine_unread(stream->engine) == 0 &&
           tls_engine_pending(stream->engine) == 0;
}

static void on_signature(struct key_wait *wait, struct str signature,
                         const char *words)
{
    struct stream *stream =
        (struct stream *)((char *)wait - offsetof(struct stream, key));
    tls_engine_answer(stream->engine, signature, words);
    stream_touch(stream);
}

/* The key of our certificate may be kept by another process. */
static enum tls_state ask_for_signature(struct stream *stream,
                                        enum tls_state state)
{
    struct key_question question;
    if (state != TLS_HANDSHAKING || !tls_engine_asks(stream->engine, &question))
        return state;
    stream->key.done = on_signature;
    const char *words = key_link_ask(stream->loop, &stream->key, &question);
    if (words == NULL)
        return state;
    tls_engine_answer(stream->engine, STR(""), words);
    return tls_engine_advance(stream->engine);
}

static void take_tls(struct stream *stream)
{
    enum tls_state state =
        ask_for_signature(stream, tls_engine_advance(stream->engine));
    if (stream->state == STREAM_SECURING &&
        (state == TLS_OPEN || state == TLS_PEER_CLOSED)) {
        stream->state = STREAM_OPEN;
        stream->untold |= EVENT_READY;
    }
    decrypt(stream);
    if (tls_engine_keep(stream->engine) != 0)
        stream_note_end(stream, STREAM_END_MEMORY, "out of memory");
    if (stream->state == STREAM_FAILED)
        return;
    state = tls_engine_advance(stream->engine);
    if (state == TLS_FAILED) {
        stream_note_end(stream, STREAM_END_TLS,
                        tls_engine_error(stream->engine));
    } else if (state == TLS_PEER_CLOSED) {
        /* What may follow in clear text is never looked at. */
        stream->has_peer_ended = true;
        stream_note_end(stream, STREAM_END_EOF, "closed by the peer");
    } else if (stream->has_peer_ended && is_engine_dry(stream)) {
        if (stream->state == STREAM_SECURING)
            stream_note_end(stream, STREAM_END_TLS,
                            "closed by the peer during the TLS handshake");
        else
            stream_note_end(stream, STREAM_END_TRUNCATED,
                            "closed by the peer without a TLS close_notify");
    }
}

void stream_take_input(struct stream *stream)
{
    if (stream->state != STREAM_OPEN && stream->state != STREAM_SECURING)
        return;
    if (stream->engine != NULL)
        take_tls(stream);
    else if (stream->has_peer_ended)
        stream_note_end(stream, STREAM_END_EOF, "closed by the peer");
    if (octet_queue_room(&stream->input) == 0)
        stream->is_input_full = true;
}

static bool should_read(const struct stream *stream)
{
    if (stream->has_peer_ended || read_room(stream) == 0)
        return false;
    if (is_discarding(stream) || stream->state == STREAM_SECURING)
        return true;
    return stream->state == STREAM_OPEN && !stream->is_paused &&
           !stream->is_input_full;
}

void stream_update_reading(struct stream *stream)
{
    bool should = should_read(stream);
    if (should == stream->is_reading || stream->state == STREAM_GONE ||
        stream->state == STREAM_CONNECTING)
        return;
    stream->is_reading = should;
    if (!should) {
        uv_read_stop((uv_stream_t *)&stream->tcp);
        return;
    }
    int result = uv_read_start((uv_stream_t *)&stream->tcp, on_room, on_read);
    if (result != 0) {
        stream->is_reading = false;
        stream_note_end(stream, STREAM_END_RESET, uv_strerror(result));
    }
}

struct str stream_input(const struct stream *stream)
{
    return octet_queue_view(&stream->input);
}

static void note_room(struct stream *stream)
{
    if (stream->is_input_full && stream->input.size <= STREAM_INPUT_MAX / 2) {
        stream->is_input_full = false;
        stream_touch(stream);
    }
}

void stream_consume(struct stream *stream, size_t octets)
{
    octet_queue_drop(&stream->input, octets);
    note_room(stream);
}

void stream_wipe(struct stream *stream, size_t octets)
{
    octet_queue_wipe(&stream->input, octets);
    note_room(stream);
}

void stream_expect_secrets(struct stream *stream, bool are_expected)
{
    stream->expects_secrets = are_expected;
    octet_queue_expect_secrets(&stream->input, are_expected);
    octet_queue_expect_secrets(&stream->output, are_expected);
    if (stream->engine != NULL)
        tls_engine_expect_secrets(stream->engine, are_expected);
}

void stream_pause(struct stream *stream)
{
    stream->is_paused = true;
    stream_update_reading(stream);
}

/* What was announced before the pause and left unread is announced again,
 * for the owner may have paused in the middle of it. */
void stream_resume(struct stream *stream)
{
    if (!stream->is_paused)
        return;
    stream->is_paused = false;
    if (stream->input.size > 0)
        stream->untold |= EVENT_BYTES;
    stream_touch(stream);
}
