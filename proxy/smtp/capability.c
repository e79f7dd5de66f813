#include "proxy/smtp/capability.h"

#include "proxy/smtp/xclient.h"

struct keyword_row {
    struct str keyword;
    size_t flag; /* where in struct capabilities */
};

#define FLAG(member) offsetof(struct capabilities, member)

static const struct keyword_row KEYWORDS[] = {
    {STR_INIT("STARTTLS"), FLAG(has_starttls)},
    {STR_INIT("PIPELINING"), FLAG(has_pipelining)},
    {STR_INIT("8BITMIME"), FLAG(has_8bitmime)},
    {STR_INIT("ENHANCEDSTATUSCODES"), FLAG(has_enhanced_codes)},
    {STR_INIT("SIZE"), FLAG(has_size)},
    {STR_INIT("CHUNKING"), FLAG(has_chunking)},
    {STR_INIT("SMTPUTF8"), FLAG(has_smtputf8)},
    {STR_INIT("DSN"), FLAG(has_dsn)},
};

#define KEYWORD_COUNT (sizeof KEYWORDS / sizeof *KEYWORDS)

static bool *flag_of(struct capabilities *of, const struct keyword_row *row)
{
    return (bool *)((char *)of + row->flag);
}

static bool has_flag(const struct capabilities *of,
                     const struct keyword_row *row)
{
    return *(const bool *)((const char *)of + row->flag);
}

static void parse_line(struct str line, struct capabilities *out)
{
    struct str keyword;
    struct str rest;
    struct str value;
    str_cut(line, ' ', &keyword, &rest);
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (str_equals_nocase(keyword, KEYWORDS[i].keyword))
            *flag_of(out, &KEYWORDS[i]) = true;
    if (str_equals_nocase(keyword, STR("XCLIENT")))
        out->xclient = xclient_offered(rest);
    if (!str_equals_nocase(keyword, STR("SIZE")))
        return;
    /* A number that makes no sense tells no maximum. */
    str_cut(rest, ' ', &value, &rest);
    if (str_to_u64(value, &out->size) < 0)
        out->size = 0;
}

void capabilities_parse(struct str text, struct capabilities *out)
{
    struct str line;
    *out = (struct capabilities){.size = 0};
    bool has_more = str_cut(text, '\n', &line, &text);
    while (has_more) {
        has_more = str_cut(text, '\n', &line, &text);
        parse_line(line, out);
    }
}

void capabilities_intersect(struct capabilities *into,
                            const struct capabilities *other)
{
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (!has_flag(other, &KEYWORDS[i]))
            *flag_of(into, &KEYWORDS[i]) = false;
    into->xclient &= other->xclient;
    if (!into->has_size)
        into->size = 0;
    else if (into->size == 0 || (other->size > 0 && other->size < into->size))
        into->size = other->size;
}
