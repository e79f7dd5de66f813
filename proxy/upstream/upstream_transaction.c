/* What the holder of a connection sends in a transaction. */
#include "proxy/smtp/chunk_writer.h"
#include "proxy/upstream/upstream_internal.h"

void upstream_envelope(struct upstream *upstream, struct str commands,
                       size_t replies)
{
    if (upstream->state == UPSTREAM_READY) {
        upstream->transactions++;
        upstream_enter(upstream, UPSTREAM_ENVELOPE);
    }
    upstream_send(upstream, commands, replies);
    if (upstream->state == UPSTREAM_ENVELOPE)
        upstream_arm(upstream);
}

void upstream_data(struct upstream *upstream)
{
    if (upstream->state == UPSTREAM_ENVELOPE)
        upstream_enter(upstream, UPSTREAM_DATA);
}

bool upstream_has_room(const struct upstream *upstream)
{
    return (upstream->state == UPSTREAM_BODY ||
            upstream->state == UPSTREAM_CHUNKS) &&
           stream_pending(upstream->stream) < STREAM_OUTPUT_HIGH;
}

void upstream_body(struct upstream *upstream, struct str octets)
{
    if (upstream->state != UPSTREAM_BODY)
        return;
    if (stream_write(upstream->stream, octets) != 0)
        upstream_fail(upstream, FAULT_MEMORY, "no room to write");
    else
        upstream_arm(upstream);
}

void upstream_dot(struct upstream *upstream, struct str octets)
{
    if (upstream->state != UPSTREAM_BODY)
        return;
    upstream_send(upstream, octets, 1);
    if (upstream->state == UPSTREAM_BODY)
        upstream_enter(upstream, UPSTREAM_DOT);
}

void upstream_begin_chunks(struct upstream *upstream)
{
    if (upstream->state == UPSTREAM_ENVELOPE)
        upstream_enter(upstream, UPSTREAM_CHUNKS);
}

void upstream_chunk(struct upstream *upstream, struct str octets, bool is_last)
{
    char command[CHUNK_COMMAND_MAX];
    if (upstream->state != UPSTREAM_CHUNKS)
        return;
    upstream_send(upstream, chunk_command(command, octets.n, is_last), 1);
    upstream_send(upstream, octets, 0);
    if (upstream->state == UPSTREAM_CHUNKS && is_last)
        upstream_enter(upstream, UPSTREAM_DOT);
    else if (upstream->state == UPSTREAM_CHUNKS)
        upstream_arm(upstream);
}

void upstream_rset(struct upstream *upstream)
{
    if (upstream->state != UPSTREAM_ENVELOPE &&
        upstream->state != UPSTREAM_CHUNKS)
        return;
    bool may_go = upstream->due == 0 || upstream->capabilities.has_pipelining;
    upstream_enter(upstream, may_go ? UPSTREAM_RSET : UPSTREAM_YIELDING);
}
