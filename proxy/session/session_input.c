/* Takes from the stream what the state of the session asks for, until there
 * is no more, or somebody else must answer first. */
#include <string.h>

#include "proxy/session/balancer.h"
#include "proxy/session/body_pump.h"
#include "proxy/session/command_table.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "proxy/smtp/command.h"

/* What caps.command_line and caps.auth_line may be at most. */
#define LINE_MAX_OCTETS (16 * 1024)

static void answer_fault(struct session *s, enum line_next fault)
{
    bool is_response = s->state == SESSION_RESPONSE;
    if (is_response && (fault == LINE_TOO_LONG || fault == LINE_BAD))
        auth_refuse_line(s, fault == LINE_TOO_LONG);
    else if (fault == LINE_TOO_LONG)
        session_bad_command(s, 500, "5.5.2", "Line too long");
    else if (fault == LINE_BAD)
        session_bad_command(s, 500, "5.5.2",
                            "Lines end with CR LF and hold no bare CR, no "
                            "bare LF and no NUL");
    else if (fault == LINE_MEMORY)
        session_hang_up(s, SESSION_END_FAULT, "4.3.0", "Out of memory");
    /* Where its chunk ends can't be known: nothing behind it is read. */
    if (s->has_lost_chunk && s->stream != NULL)
        session_close(s, SESSION_END_PROTOCOL);
}

/* A line of input, copied, because handling it may consume what is behind it.
 * LINE_MORE: none yet. Faults are answered here, or kept behind the replies
 * that are due before. */
static enum line_next next_line(struct session *s, char copy[LINE_MAX_OCTETS],
                                struct str *line)
{
    const struct caps_settings *caps = &session_settings(s)->caps;
    bool may_auth = stream_is_secure(s->stream) && s->user.n == 0;
    uint64_t limit = may_auth ? caps->auth_line : caps->command_line;
    struct str input = stream_input(s->stream);
    struct str rest = input;
    enum line_next next = line_reader_next(
        &s->reader, &rest,
        limit < LINE_MAX_OCTETS ? (size_t)limit : LINE_MAX_OCTETS, line);
    if (next == LINE_READY) {
        memcpy(copy, line->p, line->n);
        line->p = copy;
    }
    if (next == LINE_TOO_LONG)
        session_note_cap(s, may_auth ? CAP_AUTH_LINE : CAP_COMMAND_LINE);
    bool is_fault = next == LINE_TOO_LONG || next == LINE_BAD;
    s->has_lost_chunk = is_fault && s->state != SESSION_RESPONSE &&
                        command_announces_chunk(*line);
    /* What is behind it may keep the memory for long. */
    stream_wipe(s->stream, input.n - rest.n);
    line_reader_forget(&s->reader);
    if (is_fault && s->transaction != NULL &&
        transaction_is_waiting(s->transaction))
        s->held = next;
    else
        answer_fault(s, next);
    return next;
}

/* It may be an AUTH out of order, with a password. */
void session_drop_held(struct session *s)
{
    if (s->held == LINE_READY)
        explicit_bzero((char *)(uintptr_t)s->held_line.p, s->held_line.n);
    s->held = LINE_MORE;
}

static void run_held(struct session *s)
{
    char copy[LINE_MAX_OCTETS];
    struct str line = s->held_line;
    enum line_next held = s->held;
    if (held != LINE_READY) {
        s->held = LINE_MORE;
        answer_fault(s, held);
        return;
    }
    /* It lies in the transaction's arena, which the command may end. */
    memcpy(copy, line.p, line.n);
    session_drop_held(s);
    command_dispatch(s, str_span(copy, line.n));
    explicit_bzero(copy, line.n);
}

/* SMB, SOCKS 4 and 5, and the binary PROXY header on a listener that wants
 * none, never end a line. */
static bool begins_foreign(struct str input)
{
    static const struct str firsts = STR_INIT("\0\4\5\r");
    return str_index(firsts, input.p[0]) >= 0 || command_is_foreign(input);
}

/* A TLS ClientHello and its like come as lines that are none of ours at all,
 * or never end as one: the very first octets tell (attack X04), and a TLS
 * record in clear text tells at any time (attack T13). */
static bool speaks_foreign(const struct session *s)
{
    struct str input = stream_input(s->stream);
    if (!line_reader_is_empty(&s->reader))
        return false;
    if (s->commands == 0 && s->bad_commands == 0)
        return begins_foreign(input);
    return !stream_is_secure(s->stream) && input.p[0] == 0x16;
}

/* False: more of it must come. */
static bool swallow(struct session *s)
{
    struct str input = stream_input(s->stream);
    uint64_t n = input.n < s->swallow_left ? input.n : s->swallow_left;
    stream_consume(s->stream, (size_t)n);
    s->swallow_left -= n;
    return n > 0;
}

/* Takes a command or a response; false: nothing more to do now. */
static bool run_line(struct session *s)
{
    char copy[LINE_MAX_OCTETS];
    struct str line;
    if (s->swallow_left > 0)
        return swallow(s);
    if (s->held != LINE_MORE) {
        if (transaction_is_waiting(s->transaction))
            return false;
        run_held(s);
        return true;
    }
    if (stream_input(s->stream).n == 0)
        return false;
    if (speaks_foreign(s)) {
        session_hang_up(s, SESSION_END_PROTOCOL, "4.7.0",
                        "This is an SMTP server");
        return false;
    }
    enum line_next next = next_line(s, copy, &line);
    if (next != LINE_READY)
        return next != LINE_MORE;
    session_touch(s);
    if (s->state == SESSION_RESPONSE)
        auth_respond(s, line);
    else
        command_dispatch(s, line);
    explicit_bzero(copy, line.n);
    return true;
}

/* A stop waits for transactions, and for nothing else. */
static bool must_stop(const struct session *s)
{
    return s->host->is_stopping && s->transaction == NULL;
}

static bool run_once(struct session *s)
{
    if (s->awaited != NULL)
        return false;
    if (must_stop(s) && s->state == SESSION_PROXY) {
        session_abort(s, SESSION_END_STOP);
        return false;
    }
    if (must_stop(s)) {
        session_hang_up(s, SESSION_END_STOP, "4.3.2",
                        "The server is stopping, try again later");
        return false;
    }
    /* A client that does not read its replies is not read either. */
    if (stream_pending(s->stream) > STREAM_OUTPUT_HIGH)
        return false;
    switch (s->state) {
    case SESSION_NEW:
    case SESSION_READY:
    case SESSION_ENVELOPE:
    case SESSION_RESPONSE:
    case SESSION_REFUSED:
    case SESSION_CHUNKS:
        return run_line(s);
    case SESSION_HEADER:
    case SESSION_BODY:
    case SESSION_DRAIN:
        return body_pump_run(s);
    case SESSION_PROXY:
        return balancer_take_header(s);
    case SESSION_SECURING:
    case SESSION_CHECKING:
    case SESSION_ADDING:
    case SESSION_FINAL:
    case SESSION_CLOSING:
    case SESSION_STATE_COUNT:
        break;
    }
    return false;
}

/* The client sent all it ever will. What still waits for somebody else gets
 * its reply first. */
static void run_out(struct session *s)
{
    const struct transaction *t = s->transaction;
    bool waits = s->state == SESSION_FINAL || s->state == SESSION_CHECKING ||
                 stream_pending(s->stream) > STREAM_OUTPUT_HIGH ||
                 s->awaited != NULL || s->state == SESSION_ADDING ||
                 (t != NULL && transaction_is_waiting(t)) ||
                 (s->state == SESSION_BODY && t->unsent_at < t->unsent_length);
    if (!waits)
        session_close(s, SESSION_END_CLIENT);
}

void session_run(struct session *s)
{
    if (s->is_running)
        return;
    s->is_running = true;
    if (s->stream != NULL)
        stream_hold_output(s->stream, false);
    while (s->stream != NULL && run_once(s))
        continue;
    s->is_running = false;
    if (s->stream != NULL && s->has_ended)
        run_out(s);
}
