#include "tests/fuzz/session/client_internal.h"

#include "proxy/net/stream.h"

#define REPLY_OCTETS_MAX 512 /* RFC 5321 4.5.3.1.5 */

/* A balancer's header is no command. */
static void skip_proxy_header(struct client_witness *w)
{
    static const struct str BINARY = STR_INIT("\r\n\r\n\0\r\nQUIT\n");
    struct str text = octets_view(&w->unread);
    size_t length = 0;
    if (!w->listener->balancer_count)
        return;
    if (str_starts_with(text, STR("PROXY ")))
        length = (size_t)(client_index_of(text, STR("\r\n")) + 2);
    else if (str_starts_with(text, BINARY) && text.n >= 16)
        length = 16 + ((size_t)(uint8_t)text.p[14] << 8 | (uint8_t)text.p[15]);
    octets_drop(&w->unread, length < text.n ? length : text.n);
}

static bool is_secure(const struct client_witness *w)
{
    return w->far->stream && stream_is_secure(w->far->stream);
}

static bool may_mail(const struct client_witness *w)
{
    const struct listener_settings *listener = w->listener;
    if (listener->tls != LISTENER_CLEAR && !is_secure(w))
        return false;
    return listener->auth != AUTH_REQUIRED || w->is_logged_in;
}

/* Nobody can prove here what he does not say, but by a certificate. */
static bool may_log_in(const struct client_witness *w)
{
    return w->shows_secret || w->far->certificate[0] != '\0';
}

/* Whether this command may have such an answer, other than 4yz and 5yz. */
static bool may_be_answered(const struct client_witness *w, int code)
{
    switch (w->due) {
    case VERB_EHLO:
    case VERB_RSET:
    case VERB_NOOP:
        return code == 250;
    case VERB_STARTTLS:
        return code == 220 && w->listener->tls == LISTENER_STARTTLS;
    case VERB_AUTH:
    case VERB_RESPONSE:
        return is_secure(w) && (code == 334 || (code == 235 && may_log_in(w)));
    case VERB_MAIL:
        return code == 250 && may_mail(w);
    case VERB_RCPT:
        return code / 100 == 2;
    case VERB_DATA:
        return code == 354;
    case VERB_BDAT:
        return code / 100 == 2 && !w->chunk_left && !w->has_no_size &&
               (!w->is_last_chunk || w->message->is_taken);
    case VERB_END:
        return code / 100 == 2 && w->message->is_taken;
    case VERB_VRFY:
        return code == 252;
    case VERB_HELP:
        return code == 214;
    case VERB_QUIT:
        return code == 221;
    case VERB_NONE:
    case VERB_OTHER:
        break;
    }
    return false;
}

/* What has been said so far counts no more. */
static void start_over(struct witness *witness, struct client_witness *w)
{
    witness_heard_openly(witness, octets_view(&w->content));
    octets_drop(&w->content, octets_length(&w->content));
}

static void follow(struct witness *witness, struct client_witness *w, int code)
{
    enum verb answered = w->due;
    w->due = VERB_NONE;
    bool is_positive = code < 400;
    w->wants_response = code == 334;
    if (answered == VERB_QUIT && is_positive)
        w->part = CLIENT_OVER;
    else if (answered == VERB_BDAT && w->has_no_size)
        w->part = CLIENT_OVER;
    else if (answered == VERB_DATA && is_positive)
        w->part = CLIENT_CONTENT;
    if (answered == VERB_STARTTLS && is_positive)
        w->is_logged_in = false;
    /* What came in clear text behind STARTTLS is never read (RFC 3207). */
    if (answered == VERB_STARTTLS && is_positive && octets_length(&w->unread))
        w->part = CLIENT_OVER;
    if (code == 235)
        w->is_logged_in = true;
    bool goes_on = answered != VERB_MAIL && answered != VERB_RSET &&
                   answered != VERB_EHLO && answered != VERB_DATA;
    if (answered == VERB_BDAT ? !is_positive : is_positive && !goes_on)
        start_over(witness, w);
}

static void take_banner(struct client_witness *w, int code, struct str line)
{
    if (code != 220 && code != 554)
        witness_accuse(w->far, "a banner is 220, 554 or 421", line);
    w->part = code == 220 ? CLIENT_COMMANDS : CLIENT_REFUSED;
    skip_proxy_header(w);
}

/* The product tells of a bad line as soon as it sees why it is one. */
static bool is_told_early(struct str begun)
{
    bool has_cr = begun.n && begun.p[begun.n - 1] == '\r';
    return begun.n >= COMMAND_OCTETS_MIN ||
           client_line_is_bad(str_head(begun, begun.n - has_cr));
}

static void take_unasked(struct client_witness *w, int code, struct str line)
{
    if (code < 400)
        witness_accuse(w->far, "a reply answers a command", line);
    struct str begun = octets_view(&w->unread);
    bool is_faulty = !w->is_faulty && is_told_early(begun);
    if (w->part == CLIENT_CONTENT ||
        (is_faulty && client_line_announces_chunk(begun)))
        w->part = CLIENT_OVER;
    else if (is_faulty)
        w->is_faulty = true;
    else
        witness_accuse(w->far, "one reply a command", line);
    w->wants_response = false;
}

static void take_reply(struct witness *witness, struct client_witness *w,
                       int code, struct str line)
{
    if (w->part == CLIENT_OVER)
        witness_accuse(w->far, "nothing follows the last reply", line);
    if (w->part == CLIENT_BLURRED)
        return;
    if (code == 421)
        w->part = CLIENT_OVER;
    else if (w->part == CLIENT_SILENCE)
        take_banner(w, code, line);
    else if (!w->due)
        take_unasked(w, code, line);
    else if (code < 400 && !may_be_answered(w, code))
        witness_accuse(w->far, "this command has no such answer", line);
    else if (code < 400 && w->part == CLIENT_REFUSED && w->due != VERB_QUIT)
        witness_accuse(w->far, "who is refused may only QUIT", line);
    else
        follow(witness, w, code);
    client_take(witness, w);
}

static int code_of(struct str line)
{
    uint64_t code;
    if (line.n < 4 || str_to_u64(str_head(line, 3), &code) != 0)
        return 0;
    return (int)code;
}

void client_take_reply_line(struct witness *witness, struct client_witness *w,
                            struct str line)
{
    int code = code_of(line);
    bool is_last = line.n > 3 && line.p[3] == ' ';
    if (line.n + 2 > REPLY_OCTETS_MAX)
        witness_accuse(w->far, "a line of a reply has 512 octets", line);
    if (code < 200 || code > 599 || (!is_last && line.p[3] != '-'))
        witness_accuse(w->far, "a reply begins with its code", line);
    if (w->code && w->code != code)
        witness_accuse(w->far, "a reply has one code", line);
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] < ' ' || line.p[i] > '~')
            witness_accuse(w->far, "a reply is printable ASCII", line);
    w->code = is_last ? 0 : code;
    if (is_last)
        take_reply(witness, w, code, line);
}
