/* What was read is taken one command at a time: the next one only when the
 * one before has its reply. For that is the order in which the product may
 * act, but for RCPTs, of which several may be under way: they change nothing
 * here. */
#include "tests/fuzz/session/client_witness.h"

#include <string.h>

#include "proxy/sasl/base64.h"
#include "tests/dialogue/alloc_fault.h"
#include "tests/fuzz/session/client_internal.h"

static const struct {
    const char *word;
    enum verb verb;
} WORDS[] = {
    {"EHLO", VERB_EHLO}, {"HELO", VERB_EHLO}, {"STARTTLS", VERB_STARTTLS},
    {"AUTH", VERB_AUTH}, {"MAIL", VERB_MAIL}, {"RCPT", VERB_RCPT},
    {"DATA", VERB_DATA}, {"BDAT", VERB_BDAT}, {"RSET", VERB_RSET},
    {"NOOP", VERB_NOOP}, {"VRFY", VERB_VRFY}, {"HELP", VERB_HELP},
    {"QUIT", VERB_QUIT},
};

static struct client_witness *find(struct witness *witness,
                                   const struct far_end *far)
{
    struct client_witness *w = witness->clients;
    while (w && w->far != far)
        w = w->next;
    if (w)
        return w;
    w = plain_alloc(sizeof *w);
    w->far = far;
    w->listener = witness->listener;
    w->next = witness->clients;
    witness->clients = w;
    return w;
}

ptrdiff_t client_index_of(struct str text, struct str what)
{
    const char *at = text.n ? memmem(text.p, text.n, what.p, what.n) : NULL;
    return at ? at - text.p : -1;
}

static enum verb verb_of(struct str line)
{
    struct str word, rest;
    str_cut(line, ' ', &word, &rest);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (str_equals_nocase(word, str_from(WORDS[i].word)))
            return WORDS[i].verb;
    return VERB_OTHER;
}

/* However it goes on, octets of a chunk follow. */
bool client_line_announces_chunk(struct str line)
{
    return str_starts_with_nocase(line, STR("BDAT")) &&
           (line.n == 4 || (unsigned char)line.p[4] <= ' ');
}

/* RFC 3030: what can't be read as a size leaves no way to tell octets of the
 * chunk from commands. */
static void take_size(struct client_witness *w, struct str line)
{
    struct str digits, rest;
    str_cut(str_skip(line, 5), ' ', &digits, &rest);
    rest = str_trim(rest);
    w->is_last_chunk = str_equals_nocase(rest, STR("LAST"));
    w->has_no_size = client_line_is_bad(line) ||
                     (rest.n && !w->is_last_chunk) ||
                     str_to_u64(digits, &w->chunk_left) != 0;
    if (w->has_no_size)
        w->chunk_left = 0;
}

/* Whether a response holds what somebody must know to be let in. */
static bool holds_secret(const struct script *script, struct str response)
{
    char text[BASE64_TEXT_MAX];
    size_t length;
    if (base64_decode(response, text, &length) != 0)
        return false;
    struct str said = str_span(text, length);
    for (size_t i = 0; i < script->user_count; i++)
        if (client_index_of(said, script->users[i].password) >= 0)
            return true;
    for (size_t i = 0; i < script->token_count; i++)
        if (client_index_of(said, script->tokens[i].text) >= 0)
            return true;
    return false;
}

/* Passwords are looked for elsewhere; a user's name may be logged. */
static void take_auth(struct witness *witness, struct client_witness *w,
                      struct str line)
{
    struct str word, mechanism, initial;
    str_cut(line, ' ', &word, &initial);
    str_cut(initial, ' ', &mechanism, &initial);
    bool is_login = str_equals_nocase(mechanism, STR("LOGIN"));
    w->shows_secret = holds_secret(witness->script, initial);
    w->names_login = is_login && !initial.n;
    if (is_login)
        witness_heard_openly(witness, initial);
}

/* Bare ends of line and NULs: such a line is no command, whatever it says. */
bool client_line_is_bad(struct str line)
{
    return str_index(line, '\0') >= 0 || str_index(line, '\n') >= 0 ||
           str_index(line, '\r') >= 0;
}

static void take_line(struct witness *witness, struct client_witness *w,
                      struct str line)
{
    bool is_response = w->wants_response;
    w->wants_response = false;
    w->due = is_response                         ? VERB_RESPONSE
             : client_line_announces_chunk(line) ? VERB_BDAT
             : client_line_is_bad(line)          ? VERB_OTHER
                                                 : verb_of(line);
    if (w->due == VERB_AUTH)
        take_auth(witness, w, line);
    else if (w->due != VERB_RESPONSE || w->names_login)
        witness_heard_openly(witness, line);
    if (w->due == VERB_RESPONSE) {
        w->shows_secret |= holds_secret(witness->script, line);
        w->names_login = false;
    }
    if (w->due == VERB_BDAT && line.n + 2 >= COMMAND_OCTETS_MIN)
        w->part = CLIENT_BLURRED;
    else if (w->due == VERB_BDAT)
        take_size(w, line);
}

static void end_message(struct witness *witness, struct client_witness *w)
{
    struct str content = octets_view(&w->content);
    witness_heard_openly(witness, content);
    w->message = messages_add(&witness->messages, content,
                              w->listener->repairs_line_endings);
    octets_drop(&w->content, content.n);
}

static bool take_chunk(struct witness *witness, struct client_witness *w)
{
    struct str octets = octets_view(&w->unread);
    if (octets.n > w->chunk_left)
        octets = str_head(octets, (size_t)w->chunk_left);
    if (!octets.n)
        return false;
    octets_append(&w->content, octets);
    octets_drop(&w->unread, octets.n);
    w->chunk_left -= octets.n;
    if (!w->chunk_left && w->is_last_chunk && w->due == VERB_BDAT)
        end_message(witness, w);
    return true;
}

/* RFC 5321 4.5.2, read backwards. */
static void unstuff(struct octets *out, struct str text)
{
    while (text.n) {
        if (text.p[0] == '.')
            text = str_skip(text, 1);
        ptrdiff_t end = client_index_of(text, STR("\r\n"));
        size_t n = end < 0 ? text.n : (size_t)end + 2;
        octets_append(out, str_head(text, n));
        text = str_skip(text, n);
    }
}

static bool take_content(struct witness *witness, struct client_witness *w)
{
    struct str text = octets_view(&w->unread);
    ptrdiff_t end = client_index_of(text, STR("\r\n.\r\n"));
    size_t length = end < 0 ? 0 : (size_t)end + 2;
    if (str_starts_with(text, STR(".\r\n")))
        length = 0;
    else if (end < 0)
        return false;
    unstuff(&w->content, str_head(text, length));
    octets_drop(&w->unread, length + 3);
    end_message(witness, w);
    w->part = CLIENT_COMMANDS;
    w->due = VERB_END;
    return true;
}

static bool take_command(struct witness *witness, struct client_witness *w)
{
    struct str text = octets_view(&w->unread);
    ptrdiff_t end = client_index_of(text, STR("\r\n"));
    if (end < 0)
        return false;
    if (!w->is_faulty)
        take_line(witness, w, str_head(text, (size_t)end));
    w->is_faulty = false;
    octets_drop(&w->unread, (size_t)end + 2);
    if (w->due == VERB_BDAT && w->is_last_chunk && !w->chunk_left)
        end_message(witness, w);
    return true;
}

static bool take(struct witness *witness, struct client_witness *w)
{
    if (w->part == CLIENT_SILENCE || w->part == CLIENT_OVER ||
        w->part == CLIENT_BLURRED)
        return false;
    if (w->chunk_left)
        return take_chunk(witness, w);
    if (w->due)
        return false;
    if (w->part == CLIENT_CONTENT)
        return take_content(witness, w);
    return take_command(witness, w);
}

void client_take(struct witness *witness, struct client_witness *w)
{
    while (take(witness, w))
        continue;
}

void client_witness_given(struct witness *witness, struct far_end *far,
                          struct str octets)
{
    struct client_witness *w = find(witness, far);
    octets_append(&w->unread, octets);
    client_take(witness, w);
}

void client_witness_written(struct witness *witness, struct far_end *far,
                            struct str octets)
{
    struct client_witness *w = find(witness, far);
    octets_append(&w->replies, octets);
    for (;;) {
        struct str text = octets_view(&w->replies);
        ptrdiff_t end = client_index_of(text, STR("\r\n"));
        if (end < 0)
            break;
        client_take_reply_line(witness, w, str_head(text, (size_t)end));
        octets_drop(&w->replies, (size_t)end + 2);
    }
    if (octets_length(&w->replies))
        witness_accuse(far, "a reply is written whole",
                       octets_view(&w->replies));
}

void client_witness_end_all(struct witness *witness)
{
    for (struct client_witness *w = witness->clients; w; w = w->next) {
        witness_heard_openly(witness, octets_view(&w->content));
        if (w->part == CLIENT_CONTENT || w->part == CLIENT_OVER)
            witness_heard_openly(witness, octets_view(&w->unread));
    }
}

void client_witness_free_all(struct witness *witness)
{
    while (witness->clients) {
        struct client_witness *w = witness->clients;
        witness->clients = w->next;
        octets_release(&w->unread);
        octets_release(&w->replies);
        octets_release(&w->content);
        plain_free(w);
    }
}
