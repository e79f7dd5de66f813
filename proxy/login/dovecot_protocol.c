#include "proxy/login/dovecot_protocol.h"

#include <string.h>

static const struct {
    const char *name;
    size_t length;
} mechanisms[DOVECOT_MECHANISMS] = {
    [DOVECOT_PLAIN] = {"PLAIN", 5},
    [DOVECOT_OAUTHBEARER] = {"OAUTHBEARER", 11},
    [DOVECOT_XOAUTH2] = {"XOAUTH2", 7},
};

const char *dovecot_mechanism_name(enum dovecot_mechanism mechanism)
{
    return mechanisms[mechanism].name;
}

void dovecot_reader_init(struct dovecot_reader *reader)
{
    *reader = (struct dovecot_reader){.state = DOVECOT_AT_VERSION};
}

static enum dovecot_next bad(struct dovecot_reader *reader, const char *wrong)
{
    reader->wrong = wrong;
    return DOVECOT_BAD;
}

/* Minor versions only add to what may be passed over. */
static enum dovecot_next take_version(struct dovecot_reader *reader,
                                      struct str verb, struct str rest)
{
    struct str major;
    if (!str_equals(verb, STR("VERSION")))
        return bad(reader, "this is no authentication socket of Dovecot's: its "
                           "first line is not VERSION");
    str_cut(rest, '\t', &major, &rest);
    if (!str_equals(major, STR("1")))
        return bad(reader, "it speaks another major version of the protocol "
                           "than 1");
    reader->state = DOVECOT_AT_HANDSHAKE;
    return DOVECOT_MORE;
}

static void take_mechanism(struct dovecot_reader *reader, struct str rest)
{
    struct str name;
    str_cut(rest, '\t', &name, &rest);
    for (size_t i = 0; i < DOVECOT_MECHANISMS; i++)
        if (str_equals_nocase(
                name, str_span(mechanisms[i].name, mechanisms[i].length)))
            reader->has[i] = true;
}

/* SPID, CUID, COOKIE and what later versions add have no meaning here. */
static enum dovecot_next take_handshake(struct dovecot_reader *reader,
                                        struct str verb, struct str rest)
{
    if (++reader->handshake_lines > DOVECOT_HANDSHAKE_MAX)
        return bad(reader, "its handshake has no end");
    if (str_equals(verb, STR("MECH"))) {
        take_mechanism(reader, rest);
        return DOVECOT_MORE;
    }
    if (!str_equals(verb, STR("DONE")))
        return DOVECOT_MORE;
    reader->state = DOVECOT_AT_ANSWERS;
    return DOVECOT_OPEN;
}

static enum dovecot_next take_answer(struct dovecot_reader *reader,
                                     struct str verb, struct str rest,
                                     struct dovecot_answer *answer)
{
    static const struct {
        struct str verb;
        enum dovecot_next next;
    } answers[] = {{STR_INIT("OK"), DOVECOT_OK},
                   {STR_INIT("FAIL"), DOVECOT_FAIL},
                   {STR_INIT("CONT"), DOVECOT_CONT}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct str id;
        uint64_t number;
        if (!str_equals(verb, answers[i].verb))
            continue;
        str_cut(rest, '\t', &id, &answer->fields);
        if (str_to_u64(id, &number) != 0 || number > UINT32_MAX)
            return bad(reader, "it answers without the id of a request");
        answer->id = (uint32_t)number;
        return answers[i].next;
    }
    return DOVECOT_MORE;
}

static enum dovecot_next take_line(struct dovecot_reader *reader,
                                   struct str line,
                                   struct dovecot_answer *answer)
{
    struct str verb, rest;
    str_cut(line, '\t', &verb, &rest);
    switch (reader->state) {
    case DOVECOT_AT_VERSION:
        return take_version(reader, verb, rest);
    case DOVECOT_AT_HANDSHAKE:
        return take_handshake(reader, verb, rest);
    case DOVECOT_AT_ANSWERS:
        break;
    }
    return take_answer(reader, verb, rest, answer);
}

enum dovecot_next dovecot_reader_next(struct dovecot_reader *reader,
                                      struct str *input,
                                      struct dovecot_answer *answer)
{
    enum dovecot_next next = DOVECOT_MORE;
    if (reader->wrong != NULL)
        return DOVECOT_BAD;
    while (next == DOVECOT_MORE) {
        ptrdiff_t end = str_index(str_head(*input, DOVECOT_LINE_MAX), '\n');
        if (end < 0)
            return input->n < DOVECOT_LINE_MAX
                       ? DOVECOT_MORE
                       : bad(reader, "a line of its is too long");
        next = take_line(reader, str_head(*input, (size_t)end), answer);
        *input = str_skip(*input, (size_t)end + 1);
    }
    return next;
}

static char unescaped(char c)
{
    switch (c) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case '0':
        return '\0';
    case '1':
        return '\001';
    default:
        return c;
    }
}

static struct str unescape(struct arena *arena, struct str value)
{
    struct str out = {arena_alloc(arena, value.n + 1), 0};
    char *to = (char *)(uintptr_t)out.p;
    for (size_t i = 0; to != NULL && i < value.n; i++) {
        bool is_escape = value.p[i] == '\001' && i + 1 < value.n;
        to[out.n++] = is_escape ? unescaped(value.p[++i]) : value.p[i];
    }
    return out;
}

bool dovecot_answer_field(const struct dovecot_answer *answer, const char *name,
                          struct arena *arena, struct str *value)
{
    struct str rest = answer->fields;
    while (rest.n > 0) {
        struct str field, key, escaped;
        str_cut(rest, '\t', &field, &rest);
        str_cut(field, '=', &key, &escaped);
        if (!str_equals(key, str_from(name)))
            continue;
        *value = unescape(arena, escaped);
        return true;
    }
    return false;
}
