/* What a turn brings to the streams: first events, then what the owners
 * wrote leaves, as at the end of a turn of the real loop. */
#include "tests/dialogue/fake_stream.h"

#include <string.h>

#include "tests/dialogue/alloc_fault.h"

static bool is_live(const struct stream *stream)
{
    return stream->state != STREAM_CLOSING && stream->state != STREAM_GONE;
}

static void tell(struct stream *stream, void (*event)(void *owner))
{
    alloc_fault_enter();
    event(stream->owner);
    alloc_fault_leave();
}

static bool end(struct stream *stream, enum stream_end how, const char *error)
{
    stream->has_ended = true;
    stream->error = error;
    alloc_fault_enter();
    stream->events->on_ended(stream->owner, how);
    alloc_fault_leave();
    return true;
}

static bool turn_connecting(struct stream *stream)
{
    struct far_end *far = stream->far;
    if (far->connect == FAR_REFUSES)
        return end(stream, STREAM_END_CONNECT, "connection refused");
    if (far->connect == FAR_ACCEPTS) {
        stream->state = STREAM_OPEN;
        tell(stream, stream->events->on_ready);
        return true;
    }
    if (stream->deadline_us <= stream->loop->now_us)
        return end(stream, STREAM_END_CONNECT, "connection timed out");
    return false;
}

static bool turn_securing(struct stream *stream)
{
    struct far_end *far = stream->far;
    uint64_t read = far->said_total - octets_length(&far->said);
    if (far->tls == FAR_CLEAR && octets_length(&far->said))
        return end(stream, STREAM_END_TLS, "wrong version number");
    if (far->tls == FAR_OFFERS_TLS && read < far->tls_at)
        return end(stream, STREAM_END_TLS, "wrong version number");
    if (far->tls == FAR_BREAKS_TLS)
        return end(stream, STREAM_END_TLS, "certificate verify failed");
    if (far->tls == FAR_OFFERS_TLS) {
        stream->is_secure = true;
        stream->state = STREAM_OPEN;
        tell(stream, stream->events->on_ready);
        return true;
    }
    if (far->end == FAR_RESETS)
        return end(stream, STREAM_END_RESET, "connection reset by peer");
    if (far->end != FAR_OPEN)
        return end(stream, STREAM_END_TLS, "the peer closed in a handshake");
    return false;
}

static bool turn_reading(struct stream *stream)
{
    struct far_end *far = stream->far;
    if (stream->is_paused)
        return false;
    if (far->end == FAR_RESETS)
        return end(stream, STREAM_END_RESET, "connection reset by peer");
    size_t room = STREAM_INPUT_MAX - octets_length(&stream->input);
    struct str more = str_head(octets_view(&far->said), room);
    if (more.n) {
        const struct net_tap *tap = stream->loop->tap;
        if (tap)
            tap->on_given(tap->owner, far, more);
        octets_append(&stream->input, more);
        octets_drop(&far->said, more.n);
        tell(stream, stream->events->on_bytes);
        return true;
    }
    if (far->end == FAR_OPEN || octets_length(&far->said))
        return false;
    if (far->end == FAR_CUTS && stream->is_secure)
        return end(stream, STREAM_END_TRUNCATED, "closed without a notify");
    return end(stream, STREAM_END_EOF, "");
}

static bool turn_events(struct stream *stream)
{
    bool did = false;
    if (stream->owes_drained && stream->events->on_drained) {
        stream->owes_drained = false;
        tell(stream, stream->events->on_drained);
        did = true;
    }
    if (!is_live(stream) || stream->has_ended)
        return did;
    if (stream->state == STREAM_CONNECTING)
        return turn_connecting(stream) || did;
    if (stream->state == STREAM_SECURING)
        return turn_securing(stream) || did;
    return turn_reading(stream) || did;
}

static bool hears(const struct far_end *far)
{
    return !far->is_stalled && far->end != FAR_RESETS;
}

static bool flush(struct stream *stream)
{
    struct far_end *far = stream->far;
    struct str out = octets_view(&stream->output);
    if (!out.n || stream->state == STREAM_CONNECTING ||
        (!hears(far) && far->end != FAR_RESETS))
        return false;
    if (stream->loop->octets_a_turn)
        out = str_head(out, stream->loop->octets_a_turn);
    if (hears(far)) {
        octets_append(&far->heard, out);
        far->heard_total += out.n;
    }
    octets_drop(&stream->output, out.n);
    if (stream->was_over_low && stream_pending(stream) <= STREAM_OUTPUT_LOW) {
        stream->was_over_low = false;
        stream->owes_drained = true;
    }
    return true;
}

static bool finish(struct stream *stream)
{
    bool did = false;
    if (stream->owes_hello && !stream_pending(stream)) {
        far_end_saw(stream->far, FAR_SAW_TLS, stream->hello_name);
        stream->owes_hello = false;
        did = true;
    }
    if (stream->state != STREAM_CLOSING)
        return did;
    bool is_late = stream->deadline_us <= stream->loop->now_us;
    if (stream_pending(stream) && !is_late)
        return did;
    far_end_saw(stream->far, is_late ? FAR_SAW_RESET : FAR_SAW_CLOSE, "");
    stream->state = STREAM_GONE;
    return true;
}

bool fake_streams_turn(struct loop *loop)
{
    bool did = false;
    for (struct stream *s = loop->streams; s; s = s->next)
        if (is_live(s))
            did |= turn_events(s);
    for (struct stream *s = loop->streams; s; s = s->next)
        if (s->state != STREAM_GONE) {
            did |= flush(s);
            did |= finish(s);
        }
    return did;
}

/* Whoever kept a pointer into the input over a turn points to freed memory
 * from now on. */
static void move_input(struct stream *stream)
{
    struct octets moved = {0};
    octets_append(&moved, octets_view(&stream->input));
    octets_release(&stream->input);
    stream->input = moved;
}

void fake_streams_sweep(struct loop *loop)
{
    struct stream **at = &loop->streams;
    while (*at) {
        struct stream *stream = *at;
        if (stream->state != STREAM_GONE) {
            move_input(stream);
            at = &stream->next;
            continue;
        }
        *at = stream->next;
        stream->far->stream = NULL;
        octets_release(&stream->input);
        octets_release(&stream->output);
        plain_free(stream);
    }
}

uint64_t fake_streams_next_us(const struct loop *loop, uint64_t limit_us)
{
    uint64_t next = limit_us;
    for (struct stream *s = loop->streams; s; s = s->next) {
        bool waits = s->state == STREAM_CLOSING ||
                     (s->state == STREAM_CONNECTING && !s->has_ended);
        if (waits && s->deadline_us < next)
            next = s->deadline_us;
    }
    return next;
}
