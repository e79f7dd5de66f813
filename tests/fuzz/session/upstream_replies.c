/* Lenient, but for what no reader could take for a reply: what is promised of
 * the rest of the product holds whatever its own reader refuses beside. */
#include "tests/fuzz/session/upstream_internal.h"

static void learn_keyword(struct upstream_witness *w, struct str text)
{
    struct str word, rest;
    str_cut(text, ' ', &word, &rest);
    w->has_pipelining |= str_equals_nocase(word, STR("PIPELINING"));
    w->has_chunking |= str_equals_nocase(word, STR("CHUNKING"));
    w->has_starttls |= str_equals_nocase(word, STR("STARTTLS"));
    w->has_xclient |= str_equals_nocase(word, STR("XCLIENT"));
}

static void forget_keywords(struct upstream_witness *w)
{
    w->has_pipelining = w->has_chunking = false;
    w->has_starttls = w->has_xclient = false;
}

static void answer_end(struct upstream_witness *w, int code)
{
    w->has_mail = false;
    if (code / 100 == 2 && !w->chunk_left && !w->is_chunk_refused)
        w->message->is_taken = true;
}

static void take_answer(struct upstream_witness *w, enum asked asked, int code)
{
    bool is_positive = code / 100 == 2;
    switch (asked) {
    case ASKED_MAIL:
        w->has_mail &= is_positive;
        break;
    case ASKED_RCPT:
        w->recipients += is_positive;
        break;
    case ASKED_DATA:
        if (code == 354)
            w->part = UPSTREAM_LINE_START;
        break;
    case ASKED_CHUNK:
        w->is_chunk_refused |= !is_positive;
        break;
    case ASKED_LAST_CHUNK:
    case ASKED_END:
        answer_end(w, code);
        break;
    default:
        break;
    }
}

static void take_reply(struct upstream_witness *w, int code)
{
    struct str due = octets_view(&w->due);
    if (code == 421 || !due.n)
        w->is_over = true;
    if (!due.n)
        return;
    enum asked asked = (enum asked)due.p[0];
    octets_drop(&w->due, 1);
    take_answer(w, asked, code);
}

static int code_of(struct str line)
{
    uint64_t code;
    bool is_form =
        line.n == 3 || (line.n > 3 && (line.p[3] == ' ' || line.p[3] == '-'));
    if (!is_form || str_to_u64(str_head(line, 3), &code) != 0)
        return 0;
    return (int)code;
}

void upstream_take_reply_line(struct upstream_witness *w, struct str line)
{
    int code = code_of(line);
    bool is_first = !w->code;
    bool is_last = line.n <= 3 || line.p[3] == ' ';
    struct str due = octets_view(&w->due);
    if (!code || (w->code && w->code != code)) {
        w->is_over = true;
        return;
    }
    if (due.n && due.p[0] == ASKED_EHLO) {
        if (is_first)
            forget_keywords(w);
        else if (code == 250)
            learn_keyword(w, str_skip(line, 4));
    }
    w->code = is_last ? 0 : code;
    if (is_last)
        take_reply(w, code);
}
