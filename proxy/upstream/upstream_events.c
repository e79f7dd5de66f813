/* What the stream and the clock tell a connection to an upstream. */
#include "proxy/upstream/upstream_internal.h"

static uint64_t deadline_ms(const struct upstream *upstream)
{
    return upstream_state_deadline_ms(upstream->state,
                                      &upstream->target.settings->timeouts);
}

void upstream_arm(struct upstream *upstream)
{
    uint64_t ms = deadline_ms(upstream);
    bool is_waiting = ms > 0;
    if (upstream->state == UPSTREAM_ENVELOPE)
        is_waiting = is_waiting && upstream->due > 0;
    else if (upstream->state == UPSTREAM_BODY)
        is_waiting = is_waiting && !upstream_has_room(upstream);
    else if (upstream->state == UPSTREAM_CHUNKS)
        is_waiting =
            is_waiting && (upstream->due > 0 || !upstream_has_room(upstream));
    if (!is_waiting) {
        timer_stop(upstream->deadline);
        return;
    }
    upstream->pending_before =
        upstream->stream == NULL ? 0 : stream_pending(upstream->stream);
    timer_start(upstream->deadline, ms);
}

static void on_ready(void *owner)
{
    struct upstream *upstream = owner;
    bool is_implicit = upstream->target.upstream->tls == UPSTREAM_IMPLICIT;
    if (upstream->state == UPSTREAM_CONNECTING)
        upstream_send_proxy_header(upstream);
    if (upstream->state == UPSTREAM_CONNECTING)
        upstream_enter(upstream,
                       is_implicit ? UPSTREAM_SECURING : UPSTREAM_BANNER);
    else if (upstream->state == UPSTREAM_SECURING)
        /* What was said before TLS no longer counts (RFC 3207 4.2). */
        upstream_enter(upstream, is_implicit ? UPSTREAM_BANNER : UPSTREAM_EHLO);
    upstream_read_replies(upstream);
}

static void on_bytes(void *owner)
{
    upstream_read_replies(owner);
}

static void on_drained(void *owner)
{
    struct upstream *upstream = owner;
    if (upstream->state != UPSTREAM_BODY && upstream->state != UPSTREAM_CHUNKS)
        return;
    upstream_arm(upstream);
    upstream->events->on_room(upstream->owner);
}

/* A deadline passed: the words name the key that an administrator may turn. */
static void fail_late(struct upstream *upstream, uint64_t ms, const char *what)
{
    const char *key = upstream_state_deadline_key(upstream->state);
    bool is_whole = ms >= 1000 && ms % 1000 == 0;
    upstream_fail(upstream,
                  upstream->state == UPSTREAM_CONNECTING ? FAULT_CONNECT
                                                         : FAULT_SILENT,
                  "%s: %llu%s passed without %s", key == NULL ? "-" : key,
                  (unsigned long long)(is_whole ? ms / 1000 : ms),
                  is_whole ? "s" : "ms", what);
}

static bool is_late_to_connect(const struct upstream *upstream)
{
    return loop_now_ms(upstream->target.loop) - upstream->started_ms >=
           upstream->target.settings->timeouts.upstream_connect;
}

static void on_ended(void *owner, enum stream_end end)
{
    struct upstream *upstream = owner;
    /* A last word may have come together with the end. */
    if (end == STREAM_END_EOF || end == STREAM_END_TRUNCATED ||
        end == STREAM_END_RESET)
        upstream_read_replies(upstream);
    if (upstream->state == UPSTREAM_CLOSED)
        return;
    if (end == STREAM_END_CONNECT && is_late_to_connect(upstream)) {
        fail_late(upstream,
                  upstream->target.settings->timeouts.upstream_connect,
                  "a connection");
        return;
    }
    enum fault_kind kind = FAULT_LOST;
    if (end == STREAM_END_CONNECT)
        kind = FAULT_CONNECT;
    else if (end == STREAM_END_TLS)
        kind = FAULT_TLS;
    else if (end == STREAM_END_MEMORY)
        kind = FAULT_MEMORY;
    /* Between transactions there is nothing to cut: part in order. */
    if (end == STREAM_END_EOF && upstream->state == UPSTREAM_READY) {
        stream_close(upstream->stream);
        upstream->stream = NULL;
    }
    upstream_fail(upstream, kind, "%s",
                  end == STREAM_END_EOF ? "it closed the connection"
                                        : stream_error(upstream->stream));
}

const struct stream_events upstream_stream_events = {
    .on_ready = on_ready,
    .on_bytes = on_bytes,
    .on_drained = on_drained,
    .on_ended = on_ended,
};

/* A slow reader that still reads is not silent. */
static bool is_still_reading(const struct upstream *upstream)
{
    size_t pending = stream_pending(upstream->stream);
    return (upstream->state == UPSTREAM_BODY ||
            upstream->state == UPSTREAM_CHUNKS) &&
           pending > 0 && pending < upstream->pending_before;
}

void upstream_on_deadline(void *owner)
{
    struct upstream *upstream = owner;
    if (is_still_reading(upstream))
        upstream_arm(upstream);
    else
        fail_late(upstream, deadline_ms(upstream), "an answer");
}
