#include "tests/dialogue/expect.h"

#include <stdio.h>
#include <string.h>

#include "tests/dialogue/pattern.h"

#define SHOWN_MAX 1000

/* What was heard before the next event. */
static struct str heard(const struct far_end *far)
{
    struct str all = octets_view(&far->heard);
    uint64_t at = far->heard_total - all.n;
    if (far->event_count && far->events[0].at < far->heard_total)
        return str_head(all, (size_t)(far->events[0].at - at));
    return all;
}

static bool next_line(struct str heard, struct str *line)
{
    const char *end = heard.n ? memmem(heard.p, heard.n, "\r\n", 2) : NULL;
    if (!end)
        return false;
    *line = str_span(heard.p, (size_t)(end - heard.p));
    return true;
}

static bool expect_line(struct far_end *far, struct str pattern)
{
    struct str line;
    if (!next_line(heard(far), &line) || !pattern_match(pattern, line))
        return false;
    octets_drop(&far->heard, line.n + 2);
    return true;
}

static bool expect_octets(struct far_end *far, struct str want)
{
    if (!str_starts_with(heard(far), want))
        return false;
    octets_drop(&far->heard, want.n);
    return true;
}

static bool expect_all(struct far_end *far, struct str pattern)
{
    struct str all = heard(far);
    if (!pattern_match(pattern, all))
        return false;
    octets_drop(&far->heard, all.n);
    return true;
}

static bool is_code(struct str line, struct str code)
{
    return line.n >= 3 && str_equals(str_head(line, 3), code);
}

/* Octets of the reply with this code that is next, 0: none is complete. */
static size_t reply_length(struct str all, struct str code)
{
    struct str rest = all, line;
    while (next_line(rest, &line) && is_code(line, code)) {
        rest = str_skip(rest, line.n + 2);
        if (line.n == 3 || line.p[3] == ' ')
            return all.n - rest.n;
    }
    return 0;
}

static bool has_text(struct str reply, struct str pattern)
{
    struct str line;
    while (next_line(reply, &line)) {
        if (pattern_match(pattern, str_skip(line, 4)))
            return true;
        reply = str_skip(reply, line.n + 2);
    }
    return false;
}

/* 250 has "8BITMIME" lacks "STARTTLS" */
static bool expect_reply(struct far_end *far, struct str text)
{
    struct str code, word, pattern, all = heard(far);
    str_cut(text, ' ', &code, &text);
    size_t length = reply_length(all, code);
    if (!length)
        return false;
    while (str_cut(text, '"', &word, &text)) {
        str_cut(text, '"', &pattern, &text);
        bool wants = str_equals(str_trim(word), STR("has"));
        if (has_text(str_head(all, length), pattern) != wants)
            return false;
    }
    octets_drop(&far->heard, length);
    return true;
}

/* A header field with the lines that continue it, held together against the
 * pattern without their CRLFs. */
static bool expect_field(struct far_end *far, struct str pattern)
{
    struct str all = heard(far), rest = all, line;
    struct octets unfolded = {0};
    while (next_line(rest, &line) &&
           (rest.n == all.n || str_starts_with(line, STR("\t")) ||
            str_starts_with(line, STR(" ")))) {
        octets_append(&unfolded, line);
        rest = str_skip(rest, line.n + 2);
    }
    bool matches =
        rest.n < all.n && pattern_match(pattern, octets_view(&unfolded));
    octets_release(&unfolded);
    if (matches)
        octets_drop(&far->heard, all.n - rest.n);
    return matches;
}

static const char *event_name(enum far_event_kind kind)
{
    static const char *const names[] = {"connect", "tls", "close", "reset"};
    return names[kind];
}

static bool expect_event(struct far_end *far, struct str text)
{
    struct str name, pattern;
    if (!far->event_count || heard(far).n)
        return false;
    const struct far_event *event = &far->events[0];
    str_cut(text, ' ', &name, &pattern);
    if (event->at > far->heard_total - octets_length(&far->heard) ||
        !str_equals(name, str_from(event_name(event->kind))) ||
        (pattern.n && !pattern_match(pattern, str_from(event->text))))
        return false;
    far->event_count--;
    memmove(far->events, far->events + 1,
            far->event_count * sizeof *far->events);
    return true;
}

bool expect_step(struct far_end *far, const struct step *step)
{
    switch (step->kind) {
    case STEP_LINE:
        return expect_line(far, step->text);
    case STEP_OCTETS:
        return expect_octets(far, step->text);
    case STEP_REPLY:
        return expect_reply(far, step->text);
    case STEP_ALL:
        return expect_all(far, step->text);
    case STEP_FIELD:
        return expect_field(far, step->text);
    default:
        return expect_event(far, step->text);
    }
}

bool expect_is_nothing_left(const struct far_end *far)
{
    return !far->event_count && !octets_length(&far->heard);
}

int expect_next_code(const struct far_end *far)
{
    struct str all = heard(far);
    uint64_t code;
    if (all.n < 3 || str_to_u64(str_head(all, 3), &code))
        return 0;
    return (int)code;
}

static void describe_event(const struct far_event *event, struct octets *out)
{
    octets_append(out, STR("<"));
    octets_append(out, str_from(event_name(event->kind)));
    if (event->text[0])
        octets_append(out, STR(" "));
    octets_append(out, str_from(event->text));
    octets_append(out, STR(">"));
}

void expect_describe(const struct far_end *far, struct octets *out)
{
    struct str all = str_head(heard(far), SHOWN_MAX), line;
    if (!all.n && far->event_count)
        describe_event(&far->events[0], out);
    else if (!all.n)
        octets_append(out, STR("nothing"));
    while (next_line(all, &line)) {
        escape_write(line, out);
        all = str_skip(all, line.n + 2);
        octets_append(out, all.n ? STR("\n    ") : STR(""));
    }
    if (all.n)
        octets_append(out, STR("(no whole line) "));
    escape_write(all, out);
}
