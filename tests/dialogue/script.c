#include "tests/dialogue/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dialogue/pattern.h"
#include "tests/dialogue/script_source.h"
#include "tests/dialogue/script_words.h"

#define SCRIPT_BYTES (256u * 1024 * 1024)

static int fail(const struct source_line *line, const char *text)
{
    fprintf(stderr, "%s:%zu: %s: %.*s\n", line->file, line->number, text,
            (int)line->text.n, line->text.p);
    return -1;
}

static int complain(const struct source_line *line, const char *wrong)
{
    return wrong ? fail(line, wrong) : 0;
}

static void add_step(struct script *script, const struct source_line *line,
                     struct step step)
{
    script->steps =
        arena_grow(&script->arena, script->steps, script->step_count,
                   &script->step_capacity, sizeof step);
    if (!script->steps)
        abort();
    step.file = line->file;
    step.line = line->number;
    script->steps[script->step_count++] = step;
}

static struct str keep(struct script *script, struct octets *octets)
{
    struct str kept = arena_str(&script->arena, octets_view(octets));
    octets_release(octets);
    if (!kept.p)
        abort();
    return kept;
}

/* 3 x "text" */
static int read_repeated(struct str text, struct octets *out)
{
    struct str times, rest;
    struct octets once = {0};
    uint64_t n;
    str_cut(text, ' ', &times, &rest);
    if (str_to_u64(times, &n) || !str_starts_with(rest, STR("x \"")) ||
        rest.n < 4 || rest.p[rest.n - 1] != '"' ||
        escape_read(str_span(rest.p + 3, rest.n - 4), &once)) {
        octets_release(&once);
        return -1;
    }
    while (n--)
        octets_append(out, octets_view(&once));
    octets_release(&once);
    return 0;
}

enum form { FORM_LINE, FORM_RAW, FORM_REPEATED, FORM_WHOLE };

/* "U2>..." before its ": " or " ". */
struct prefix {
    char side;
    size_t number;
    bool speaks;
    enum form form;
};

static bool read_prefix(struct str *text, struct prefix *out)
{
    struct str s = *text;
    if (!s.n || !memchr("CSU", s.p[0], 3))
        return false;
    *out =
        (struct prefix){s.p[0] == 'U' ? 'U' : 'C', 1, s.p[0] == 'C', FORM_LINE};
    s = str_skip(s, 1);
    if (s.n && ascii_is_digit(s.p[0])) {
        out->number = (size_t)(s.p[0] - '0');
        s = str_skip(s, 1);
    }
    if (out->side == 'U' && str_starts_with(s, STR(">"))) {
        out->speaks = true;
        s = str_skip(s, 1);
    }
    if (str_starts_with(s, STR("..."))) {
        out->form = FORM_RAW;
        s = str_skip(s, 3);
    } else if (s.n && (s.p[0] == '*' || s.p[0] == '+')) {
        out->form = s.p[0] == '*' ? FORM_REPEATED : FORM_WHOLE;
        s = str_skip(s, 1);
    }
    bool has_colon = str_starts_with(s, STR(":"));
    if (!has_colon && !out->speaks)
        return false;
    s = str_skip(s, has_colon);
    if (s.n && s.p[0] != ' ')
        return false;
    *text = str_skip(s, 1);
    return true;
}

static bool is_event(struct str text)
{
    static const char *const names[] = {"connect", "accept", "refuse", "close",
                                        "cut",     "reset",  "tls",    "stall",
                                        "read",    "login"};
    struct str name, rest;
    if (text.n < 3 || text.p[0] != '<' || text.p[text.n - 1] != '>')
        return false;
    str_cut(str_span(text.p + 1, text.n - 2), ' ', &name, &rest);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equals(name, str_from(names[i])))
            return true;
    return false;
}

static int read_octets(struct script *script, enum form form, struct str text,
                       struct str *out)
{
    struct octets octets = {0};
    int failed = form == FORM_REPEATED ? read_repeated(text, &octets)
                                       : escape_read(text, &octets);
    if (form == FORM_LINE)
        octets_append(&octets, STR("\r\n"));
    *out = keep(script, &octets);
    return failed;
}

static int read_talk(struct script *script, const struct source_line *line,
                     const struct prefix *prefix, struct str text)
{
    struct step step = {.side = prefix->side, .number = prefix->number};
    int failed = 0;
    if (prefix->form == FORM_LINE && is_event(text)) {
        step.kind = prefix->speaks ? STEP_DO : STEP_SEE;
        step.text = str_span(text.p + 1, text.n - 2);
    } else if (prefix->speaks) {
        step.kind = STEP_SAY;
        failed = read_octets(script, prefix->form, text, &step.text);
    } else if (prefix->form == FORM_REPEATED) {
        step.kind = STEP_OCTETS;
        failed = read_octets(script, prefix->form, text, &step.text);
    } else {
        step.kind = prefix->form == FORM_LINE  ? STEP_LINE
                    : prefix->form == FORM_RAW ? STEP_ALL
                    : prefix->side == 'U'      ? STEP_FIELD
                                               : STEP_REPLY;
        step.text = text;
        failed = pattern_check(text);
    }
    if (failed)
        return fail(line, "wrong escape or repetition");
    add_step(script, line, step);
    return 0;
}

static int read_modes(struct script *script, const struct source_line *line,
                      struct str text)
{
    struct str word;
    script->modes = 0;
    while (str_cut(text, ' ', &word, &text), word.n) {
        if (str_equals(word, STR("whole")))
            script->modes |= MODE_WHOLE;
        else if (str_equals(word, STR("split")))
            script->modes |= MODE_SPLIT;
        else if (str_equals(word, STR("fault")))
            script->modes |= MODE_FAULT;
        else if (str_equals(word, STR("late")))
            script->modes |= MODE_LATE;
        else
            return fail(line, "modes are whole, split, fault, late");
    }
    return 0;
}

static int read_clock(struct script *script, const struct source_line *line,
                      struct str text)
{
    struct step step = {.kind = STEP_CLOCK};
    if (!str_starts_with(text, STR("+")) ||
        script_read_time(str_skip(text, 1), &step.ms))
        return fail(line, "the clock wants +30s or the like");
    add_step(script, line, step);
    return 0;
}

/* A file beside the script, then what is indented below. */
static int read_config(struct script *script, const struct source *source,
                       size_t *i, struct str name, struct str *out)
{
    const struct source_line *line = &source->lines[*i];
    struct octets yaml = {0};
    const char *path;
    if (name.n) {
        struct str base =
            source_beside(&script->arena, line->file, name, &path);
        if (!base.p)
            return fail(line, "not found");
        octets_append(&yaml, base);
    }
    while (*i + 1 < source->count) {
        struct str text = source->lines[*i + 1].text;
        if (text.n && !str_starts_with(text, STR("  ")))
            break;
        octets_append(&yaml, str_skip(text, 2));
        octets_append(&yaml, STR("\n"));
        ++*i;
    }
    *out = keep(script, &yaml);
    return 0;
}

static int read_directive(struct script *script, const struct source *source,
                          size_t *i)
{
    static const struct {
        const char *name;
        enum step_kind kind;
    } plain[] = {{"L", STEP_LOG},           {"no L", STEP_NO_LOG},
                 {"W", STEP_SERVER_LOG},    {"M", STEP_MESSAGE},
                 {"maildir", STEP_MAILDIR}, {"logins", STEP_LOGINS},
                 {"jobs", STEP_JOBS},       {"probe", STEP_PROBE},
                 {"probed", STEP_PROBED},   {"crowd", STEP_CROWD},
                 {"stop", STEP_STOP},       {"abort", STEP_ABORT},
                 {"reload", STEP_RELOAD},   {"strict log", STEP_STRICT_LOG}};
    const struct source_line *line = &source->lines[*i];
    struct str name, text;
    str_cut(line->text, ':', &name, &text);
    text = str_starts_with(text, STR(" ")) ? str_skip(text, 1) : text;
    if (str_equals(name, STR("config")))
        return read_config(script, source, i, str_trim(text), &script->config);
    if (str_equals(name, STR("candidate")))
        return read_config(script, source, i, str_trim(text),
                           &script->candidate);
    if (str_equals(name, STR("next")))
        return read_config(script, source, i, str_trim(text), &script->next);
    if (str_equals(name, STR("secrets")))
        return read_config(script, source, i, str_trim(text), &script->secrets);
    if (str_equals(name, STR("user")))
        return complain(line, script_read_user(script, str_trim(text)));
    if (str_equals(name, STR("token")))
        return complain(line, script_read_token(script, str_trim(text)));
    if (str_equals(name, STR("modes")))
        return read_modes(script, line, str_trim(text));
    if (str_equals(name, STR("clock")))
        return read_clock(script, line, str_trim(text));
    for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
        if (str_equals(name, str_from(plain[k].name))) {
            add_step(script, line,
                     (struct step){.kind = plain[k].kind, .text = text});
            return 0;
        }
    return fail(line, "not understood");
}

int script_read(struct script *script, const char *path)
{
    *script = (struct script){.path = path, .modes = MODE_ALL};
    arena_init(&script->arena, SCRIPT_BYTES);
    struct source source = {.arena = &script->arena};
    if (source_read(&source, path))
        return -1;
    for (size_t i = 0; i < source.count; i++) {
        struct str text = source.lines[i].text;
        struct prefix prefix;
        if (!str_trim(text).n || text.p[0] == '#')
            continue;
        int failed = read_prefix(&text, &prefix)
                         ? read_talk(script, &source.lines[i], &prefix, text)
                         : read_directive(script, &source, &i);
        if (failed)
            return -1;
    }
    return 0;
}

void script_release(struct script *script)
{
    arena_release(&script->arena);
}
