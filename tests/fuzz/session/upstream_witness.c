/* What is written is read octet by octet, with nothing of the product's: the
 * commands, the content behind a 354, the chunks. What the upstream says
 * counts when the product takes it, reply by reply. */
#include "tests/fuzz/session/upstream_witness.h"

#include <string.h>

#include "proxy/net/stream.h"
#include "tests/dialogue/alloc_fault.h"
#include "tests/fuzz/session/upstream_internal.h"

/* As long as what AUTH carries a password in, of which a part came before. */
#define HEARD_KEPT 64
/* Far more than any command that could be parsed makes. */
#define COMMAND_OCTETS_MAX 2048

static struct upstream_witness *find(struct witness *witness,
                                     struct far_end *far)
{
    struct upstream_witness *w = witness->upstreams;
    while (w && w->far != far)
        w = w->next;
    if (w)
        return w;
    static const char banner = ASKED_BANNER;
    w = plain_alloc(sizeof *w);
    w->far = far;
    octets_append(&w->due, str_span(&banner, 1));
    w->next = witness->upstreams;
    witness->upstreams = w;
    return w;
}

static void ask(struct witness *witness, struct upstream_witness *w,
                enum asked asked)
{
    char octet = (char)asked;
    octets_append(&w->due, str_span(&octet, 1));
    if (witness->obliges)
        obliging_answer(w->far, asked, witness->offers_all);
}

static bool is_open(const struct upstream_witness *w)
{
    return w->has_mail && w->recipients;
}

static void accuse_unless(const struct upstream_witness *w, bool is_so,
                          const char *what)
{
    if (!is_so)
        witness_accuse(w->far, what, octets_view(&w->command));
}

static void begin_transaction(struct witness *witness,
                              struct upstream_witness *w)
{
    accuse_unless(w, !w->has_mail, "one MAIL a transaction");
    accuse_unless(w,
                  !witness->needs_tls ||
                      (w->far->stream && stream_is_secure(w->far->stream)),
                  "no mail without TLS");
    w->has_mail = true;
    w->recipients = 0;
    w->is_chunk_refused = false;
    octets_drop(&w->content, octets_length(&w->content));
}

static void begin_chunk(struct upstream_witness *w, struct str argument)
{
    struct str digits, rest;
    str_cut(argument, ' ', &digits, &rest);
    w->is_last_chunk = str_equals(rest, STR("LAST"));
    accuse_unless(w,
                  str_to_u64(digits, &w->chunk_left) == 0 &&
                      (w->is_last_chunk || !rest.n),
                  "BDAT has a size, and perhaps LAST");
    accuse_unless(w, is_open(w), "BDAT follows a recipient");
    accuse_unless(w, w->has_chunking, "BDAT is offered");
}

static bool is_due_alone(const struct upstream_witness *w, enum asked asked)
{
    struct str due = octets_view(&w->due);
    for (size_t i = 0; i < due.n; i++)
        if (due.p[i] != (char)asked)
            return false;
    return true;
}

static enum asked take_verb(struct witness *witness, struct upstream_witness *w,
                            struct str line)
{
    struct str verb, argument;
    str_cut(line, ' ', &verb, &argument);
    if (str_equals(verb, STR("MAIL"))) {
        begin_transaction(witness, w);
        return ASKED_MAIL;
    }
    if (str_equals(verb, STR("RCPT"))) {
        accuse_unless(w, w->has_mail, "RCPT follows MAIL");
        return ASKED_RCPT;
    }
    if (str_equals(line, STR("DATA"))) {
        accuse_unless(w, is_open(w), "DATA follows a recipient");
        return ASKED_DATA;
    }
    if (str_equals(verb, STR("BDAT"))) {
        begin_chunk(w, argument);
        return w->is_last_chunk ? ASKED_LAST_CHUNK : ASKED_CHUNK;
    }
    if (str_equals(line, STR("STARTTLS"))) {
        accuse_unless(w, w->has_starttls, "STARTTLS is offered");
        return ASKED_STARTTLS;
    }
    if (str_equals(verb, STR("XCLIENT"))) {
        accuse_unless(w, w->has_xclient, "XCLIENT is offered");
        return ASKED_XCLIENT;
    }
    if (str_equals(verb, STR("EHLO")))
        return ASKED_EHLO;
    if (str_equals(verb, STR("HELO")))
        return ASKED_HELO;
    if (str_equals(line, STR("RSET")))
        return ASKED_RSET;
    accuse_unless(w, str_equals(line, STR("QUIT")), "a command is known");
    return ASKED_QUIT;
}

/* What is still due when it is asked: RFC 2920 3.1. */
static bool may_follow(const struct upstream_witness *w, enum asked asked)
{
    if (!octets_length(&w->due))
        return true;
    if (!w->has_pipelining)
        return false;
    if (asked == ASKED_CHUNK || asked == ASKED_LAST_CHUNK)
        return is_due_alone(w, ASKED_CHUNK);
    return asked == ASKED_MAIL || asked == ASKED_RCPT || asked == ASKED_RSET;
}

/* The octets of the message have ended: it must be one that a client has
 * ended too. */
static void end_content(struct witness *witness, struct upstream_witness *w)
{
    struct str content = octets_view(&w->content);
    bool is_ended = !content.n || content.p[content.n - 1] == '\n';
    w->message = messages_send(&witness->messages, content);
    if (!w->message || !is_ended)
        witness_accuse(w->far, "what is sent is what a client has ended",
                       content);
    octets_drop(&w->content, content.n);
}

static void end_chunk(struct witness *witness, struct upstream_witness *w)
{
    w->part = UPSTREAM_COMMANDS;
    if (w->is_last_chunk)
        end_content(witness, w);
}

static void take_command(struct witness *witness, struct upstream_witness *w)
{
    struct str line = octets_view(&w->command);
    accuse_unless(w, line.n >= 2 && line.p[line.n - 2] == '\r',
                  "a command ends in CRLF");
    line.n -= 2;
    accuse_unless(w,
                  !memchr(line.p, '\r', line.n) && !memchr(line.p, 0, line.n),
                  "a command holds no CR and no NUL");
    accuse_unless(w, line.n + 2 <= COMMAND_OCTETS_MAX, "a command is short");
    accuse_unless(w, !w->is_over, "nothing is asked behind such a reply");
    accuse_unless(w, octets_length(&w->due) || !octets_length(&w->said),
                  "nothing is asked behind half a reply");
    enum asked asked = take_verb(witness, w, line);
    accuse_unless(w, may_follow(w, asked), "one command after another");
    if (asked == ASKED_RSET)
        w->has_mail = false;
    octets_drop(&w->command, octets_length(&w->command));
    ask(witness, w, asked);
    if (asked != ASKED_CHUNK && asked != ASKED_LAST_CHUNK)
        return;
    w->part = UPSTREAM_CHUNK;
    if (!w->chunk_left)
        end_chunk(witness, w);
}

/* CR before LF, LF behind CR, no NUL: over the whole of a content. */
static void keep_content(struct upstream_witness *w, char c)
{
    struct str before = octets_view(&w->content);
    bool had_cr = before.n && before.p[before.n - 1] == '\r';
    if (c == '\0' || had_cr != (c == '\n'))
        witness_accuse(w->far, "a content has CR and LF in pairs, and no NUL",
                       before);
    octets_append(&w->content, str_span(&c, 1));
}

static enum part take_octet_of_line(struct upstream_witness *w, char c)
{
    keep_content(w, c);
    return c == '\n' ? UPSTREAM_LINE_START : UPSTREAM_LINE;
}

static void take_octet(struct witness *witness, struct upstream_witness *w,
                       char c)
{
    if (w->is_over)
        witness_accuse(w->far, "nothing is written behind such a reply",
                       str_span(&c, 1));
    switch (w->part) {
    case UPSTREAM_COMMANDS:
        octets_append(&w->command, str_span(&c, 1));
        if (c == '\n')
            take_command(witness, w);
        break;
    case UPSTREAM_LINE_START:
        w->part = c == '.' ? UPSTREAM_DOT : take_octet_of_line(w, c);
        break;
    case UPSTREAM_DOT:
        if (c != '.' && c != '\r')
            witness_accuse(w->far, "a dot at a line's start is doubled",
                           octets_view(&w->content));
        w->part = c == '\r' ? UPSTREAM_DOT_CR : take_octet_of_line(w, c);
        break;
    case UPSTREAM_DOT_CR:
        if (c != '\n')
            witness_accuse(w->far, "a content ends in CRLF.CRLF",
                           octets_view(&w->content));
        w->part = UPSTREAM_COMMANDS;
        end_content(witness, w);
        ask(witness, w, ASKED_END);
        break;
    case UPSTREAM_LINE:
        w->part = take_octet_of_line(w, c);
        break;
    case UPSTREAM_CHUNK:
        keep_content(w, c);
        if (--w->chunk_left == 0)
            end_chunk(witness, w);
        break;
    }
}

void upstream_witness_written(struct witness *witness, struct far_end *far,
                              struct str octets)
{
    struct upstream_witness *w = find(witness, far);
    for (size_t i = 0; i < octets.n; i++)
        take_octet(witness, w, octets.p[i]);
}

void upstream_witness_given(struct witness *witness, struct far_end *far,
                            struct str octets)
{
    struct upstream_witness *w = find(witness, far);
    octets_append(&w->heard, octets);
    witness_heard_openly(witness, octets_view(&w->heard));
    if (octets_length(&w->heard) > HEARD_KEPT)
        octets_drop(&w->heard, octets_length(&w->heard) - HEARD_KEPT);
}

void upstream_witness_taken(struct witness *witness, struct far_end *far,
                            struct str octets)
{
    struct upstream_witness *w = find(witness, far);
    octets_append(&w->said, octets);
    for (;;) {
        struct str text = octets_view(&w->said);
        const char *end = text.n ? memmem(text.p, text.n, "\r\n", 2) : NULL;
        if (!end)
            break;
        size_t length = (size_t)(end - text.p);
        upstream_take_reply_line(w, str_head(text, length));
        octets_drop(&w->said, length + 2);
    }
}

void upstream_witness_free_all(struct witness *witness)
{
    while (witness->upstreams) {
        struct upstream_witness *w = witness->upstreams;
        witness->upstreams = w->next;
        octets_release(&w->command);
        octets_release(&w->content);
        octets_release(&w->said);
        octets_release(&w->heard);
        octets_release(&w->due);
        plain_free(w);
    }
}
