#include "proxy/upstream/upstream_internal.h"

/* Of an unasked reply in the log. */
#define UNASKED_TEXT_MAX 128

static void answer_banner(struct upstream *upstream, const struct reply *reply)
{
    if (reply->code == 220)
        upstream_enter(upstream, UPSTREAM_EHLO);
    else
        upstream_fail(upstream, FAULT_GREETING, "%d %.*s", reply->code,
                      (int)reply->text.n, reply->text.p);
}

static bool needs_starttls(const struct upstream *upstream)
{
    return upstream->target.upstream->tls == UPSTREAM_STARTTLS &&
           !stream_is_secure(upstream->stream);
}

void upstream_become_ready(struct upstream *upstream)
{
    upstream_enter(upstream, UPSTREAM_READY);
    upstream->events->on_ready(upstream->owner);
}

static void learn_capabilities(struct upstream *upstream, struct str text)
{
    const struct upstream_settings *settings = upstream->target.upstream;
    struct capabilities *found = &upstream->capabilities;
    capabilities_parse(text, found);
    for (size_t i = 0; i < settings->disabled_count; i++)
        (void)capabilities_disable(found, settings->disabled[i]);
    /* RFC 8689 4.2.1: the server must have proven who it is. */
    if (!stream_is_secure(upstream->stream) || !settings->is_verified)
        found->has_requiretls = false;
}

static void answer_ehlo(struct upstream *upstream, const struct reply *reply)
{
    bool is_refused = reply->code >= 500 && reply->code <= 504;
    /* Tickets came before the first answer behind the handshake. */
    if (stream_is_secure(upstream->stream))
        tls_sessions_keep(upstream->target.sessions,
                          stream_tls_session(upstream->stream));
    if (reply->code == 250)
        learn_capabilities(upstream, reply->text);
    if (is_refused && !needs_starttls(upstream))
        upstream_enter(upstream, UPSTREAM_HELO); /* RFC 5321 3.2 */
    else if (reply->code != 250)
        upstream_fail(upstream, FAULT_GREETING, "%d %.*s", reply->code,
                      (int)reply->text.n, reply->text.p);
    else if (!needs_starttls(upstream))
        upstream_log_in(upstream);
    else if (upstream->capabilities.has_starttls)
        upstream_enter(upstream, UPSTREAM_UPGRADE);
    else
        upstream_fail(upstream, FAULT_TLS, "STARTTLS is not offered");
}

static void answer_helo(struct upstream *upstream, const struct reply *reply)
{
    if (reply->code == 250)
        upstream_log_in(upstream);
    else
        upstream_fail(upstream, FAULT_GREETING, "%d %.*s", reply->code,
                      (int)reply->text.n, reply->text.p);
}

static void answer_starttls(struct upstream *upstream,
                            const struct reply *reply)
{
    if (reply->code != 220)
        upstream_fail(upstream, FAULT_TLS, "%d %.*s", reply->code,
                      (int)reply->text.n, reply->text.p);
    else if (stream_input(upstream->stream).n > 0)
        /* RFC 3207 leaves no room for answers in clear text behind the 220:
         * they would be read as if they had come inside TLS. */
        upstream_fail(upstream, FAULT_TLS,
                      "octets in clear text behind STARTTLS");
    else
        upstream_enter(upstream, UPSTREAM_SECURING);
}

static void answer_envelope(struct upstream *upstream,
                            const struct reply *reply)
{
    upstream_arm(upstream);
    upstream->events->on_reply(upstream->owner, UPSTREAM_ENVELOPE, reply);
}

static void answer_data(struct upstream *upstream, const struct reply *reply)
{
    upstream_enter(upstream,
                   reply->code == 354 ? UPSTREAM_BODY : UPSTREAM_ENVELOPE);
    upstream->events->on_reply(upstream->owner, UPSTREAM_DATA, reply);
}

static void answer_chunk(struct upstream *upstream, const struct reply *reply)
{
    upstream_arm(upstream);
    upstream->events->on_reply(upstream->owner, UPSTREAM_CHUNKS, reply);
}

static void answer_dot(struct upstream *upstream, const struct reply *reply)
{
    upstream_enter(upstream, UPSTREAM_READY);
    upstream->events->on_reply(upstream->owner, UPSTREAM_DOT, reply);
}

/* The answer to what the transaction asked last, which nobody waits for. */
static void answer_yielding(struct upstream *upstream,
                            const struct reply *reply)
{
    if (reply->code == 421)
        upstream_fail(upstream, FAULT_LOST, "421");
    else if (upstream->due == 0)
        upstream_enter(upstream, UPSTREAM_RSET);
}

static void answer_rset(struct upstream *upstream, const struct reply *reply)
{
    if (upstream->due > 0)
        return;
    if (reply->code != 250) {
        upstream_fail(upstream, FAULT_PROTOCOL, "%d", reply->code);
        return;
    }
    upstream_become_ready(upstream);
}

static void answer_quit(struct upstream *upstream, const struct reply *reply)
{
    (void)reply;
    upstream_fail(upstream, FAULT_LOST, "closed in order");
}

static void (*const answers[UPSTREAM_STATE_COUNT])(struct upstream *,
                                                   const struct reply *) = {
    [UPSTREAM_BANNER] = answer_banner,
    [UPSTREAM_EHLO] = answer_ehlo,
    [UPSTREAM_HELO] = answer_helo,
    [UPSTREAM_UPGRADE] = answer_starttls,
    [UPSTREAM_ENVELOPE] = answer_envelope,
    [UPSTREAM_DATA] = answer_data,
    [UPSTREAM_CHUNKS] = answer_chunk,
    [UPSTREAM_DOT] = answer_dot,
    [UPSTREAM_YIELDING] = answer_yielding,
    [UPSTREAM_RSET] = answer_rset,
    [UPSTREAM_QUIT] = answer_quit,
    [UPSTREAM_AUTH] = upstream_answer_auth,
    [UPSTREAM_XCLIENT] = upstream_answer_xclient,
};

static bool is_holders(enum upstream_state state)
{
    return state == UPSTREAM_ENVELOPE || state == UPSTREAM_DATA ||
           state == UPSTREAM_BODY || state == UPSTREAM_CHUNKS ||
           state == UPSTREAM_DOT;
}

static void take_reply(struct upstream *upstream, const struct reply *reply)
{
    enum upstream_state asked = upstream->state;
    if (upstream->due > 0)
        upstream->due--;
    /* After a 421, and in the middle of a message, nothing can follow. */
    bool is_last = reply->code == 421 || asked == UPSTREAM_BODY;
    if (is_last && is_holders(asked)) {
        upstream_drop(upstream);
        upstream->events->on_reply(upstream->owner, asked, reply);
        return;
    }
    answers[asked](upstream, reply);
}

static void fail_unasked(struct upstream *upstream, const struct reply *reply)
{
    struct str text = str_head(reply->text, UNASKED_TEXT_MAX);
    upstream_fail(upstream, FAULT_PROTOCOL, "it spoke unasked: %d %.*s",
                  reply->code, (int)text.n, text.n == 0 ? "" : text.p);
}

void upstream_read_replies(struct upstream *upstream)
{
    /* Inside the handshake there is no state to take it yet; on_ready reads
     * what came with its end. */
    while (upstream->state != UPSTREAM_CLOSED &&
           upstream->state != UPSTREAM_SECURING) {
        struct str input = stream_input(upstream->stream);
        size_t before = input.n;
        if (before == 0)
            return;
        bool is_unasked =
            upstream->due == 0 && upstream->state != UPSTREAM_BODY;
        if (is_unasked && !is_holders(upstream->state)) {
            upstream_fail(upstream, FAULT_PROTOCOL, "it spoke unasked");
            return;
        }
        struct reply reply;
        enum reply_next next =
            reply_reader_next(&upstream->replies, &input, &reply);
        stream_consume(upstream->stream, before - input.n);
        upstream->is_in_reply = next == REPLY_MORE;
        /* A 421 may come at any time (RFC 5321 3.8). */
        if (next == REPLY_READY && is_unasked && reply.code != 421)
            fail_unasked(upstream, &reply);
        else if (next == REPLY_READY)
            take_reply(upstream, &reply);
        else if (next == REPLY_ERROR)
            upstream_fail(upstream, FAULT_PROTOCOL, "%s",
                          upstream->replies.error);
        else if (next == REPLY_MEMORY)
            upstream_fail(upstream, FAULT_MEMORY, "no memory for a reply");
    }
}
