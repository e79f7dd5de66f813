#include "proxy/smtp/command.h"

struct verb_row {
    struct str word;
    enum verb verb;
    struct str prefix; /* what the argument must begin with, or n 0 */
};

static const struct verb_row VERBS[] = {
    {.word = STR_INIT("EHLO"), .verb = VERB_EHLO},
    {.word = STR_INIT("HELO"), .verb = VERB_HELO},
    {.word = STR_INIT("STARTTLS"), .verb = VERB_STARTTLS},
    {.word = STR_INIT("AUTH"), .verb = VERB_AUTH},
    {STR_INIT("MAIL"), VERB_MAIL, STR_INIT("FROM:")},
    {STR_INIT("RCPT"), VERB_RCPT, STR_INIT("TO:")},
    {.word = STR_INIT("DATA"), .verb = VERB_DATA},
    {.word = STR_INIT("BDAT"), .verb = VERB_BDAT},
    {.word = STR_INIT("RSET"), .verb = VERB_RSET},
    {.word = STR_INIT("NOOP"), .verb = VERB_NOOP},
    {.word = STR_INIT("VRFY"), .verb = VERB_VRFY},
    {.word = STR_INIT("EXPN"), .verb = VERB_EXPN},
    {.word = STR_INIT("HELP"), .verb = VERB_HELP},
    {.word = STR_INIT("QUIT"), .verb = VERB_QUIT},
    /* HTTP: a browser that was lured here (cross-protocol attacks). */
    {.word = STR_INIT("GET"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("PROXY"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("POST"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("PUT"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("HEAD"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("OPTIONS"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("CONNECT"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("PATCH"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("DELETE"), .verb = VERB_FOREIGN},
    {.word = STR_INIT("TRACE"), .verb = VERB_FOREIGN},
};

static const size_t VERB_ROWS = sizeof VERBS / sizeof *VERBS;

static bool has_control(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        if (c < ' ' || c == 0x7f)
            return true;
    }
    return false;
}

static const struct verb_row *find_row(struct str word)
{
    for (size_t i = 0; i < VERB_ROWS; i++)
        if (str_equals_nocase(word, VERBS[i].word))
            return &VERBS[i];
    return NULL;
}

static struct str skip_spaces(struct str s)
{
    while (s.n > 0 && s.p[0] == ' ')
        s = str_skip(s, 1);
    return s;
}

/* Protocols that show themselves in their first octets, not by a word: a TLS
 * record, an SSLv2 hello, an SSH banner, a RESP array. */
bool command_is_foreign(struct str octets)
{
    if (octets.n == 0)
        return false;
    if (octets.p[0] == '\x16' || (unsigned char)octets.p[0] == 0x80)
        return true;
    if (octets.n > 1 && octets.p[0] == '*' && ascii_is_digit(octets.p[1]))
        return true;
    return str_starts_with(octets, STR("SSH-"));
}

bool command_announces_chunk(struct str line)
{
    return str_starts_with_nocase(line, STR("BDAT")) &&
           (line.n == 4 || (unsigned char)line.p[4] <= ' ');
}

int command_parse(struct str line, struct command *out)
{
    struct str word;
    struct str rest;
    *out = (struct command){.verb = VERB_UNKNOWN};
    if (command_is_foreign(line)) {
        out->verb = VERB_FOREIGN;
        return 0;
    }
    if (has_control(line) || str_starts_with(line, STR(" ")))
        return -1;
    while (line.n > 0 && line.p[line.n - 1] == ' ')
        line.n--;
    str_cut(line, ' ', &word, &rest);
    out->argument = rest;
    out->has_argument = rest.n > 0;
    const struct verb_row *row = find_row(word);
    if (row == NULL)
        return 0;
    out->verb = row->verb;
    if (!str_starts_with_nocase(rest, row->prefix))
        return -1;
    /* RFC 5321 4.1.1.2 has no space behind the colon; too many send one. */
    if (row->prefix.n > 0)
        out->argument = skip_spaces(str_skip(rest, row->prefix.n));
    return 0;
}

const char *verb_name(enum verb verb)
{
    if (verb >= VERB_FOREIGN)
        return "?";
    for (size_t i = 0; i < VERB_ROWS; i++)
        if (VERBS[i].verb == verb)
            return VERBS[i].word.p;
    return "?";
}
