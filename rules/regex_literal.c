/* Of the pattern's own level only: groups and classes are passed over, and
 * what is not surely understood ends the search with nothing found. */
#include "rules/regex_literal.h"

#include <string.h>

struct reading {
    struct str rest;
    char run[REGEX_LITERAL_MAX]; /* octets that follow one another */
    size_t n;
    bool has_room; /* false: the run is longer than it may become */
    char *best;
    size_t best_n;
};

static void end_run(struct reading *reading)
{
    if (reading->n > reading->best_n) {
        memcpy(reading->best, reading->run, reading->n);
        reading->best_n = reading->n;
    }
    reading->n = 0;
    reading->has_room = true;
}

static void add_octet(struct reading *reading, char octet)
{
    reading->has_room = reading->has_room && reading->n < REGEX_LITERAL_MAX;
    if (reading->has_room)
        reading->run[reading->n++] = octet;
}

static char take(struct reading *reading)
{
    char octet = reading->rest.p[0];
    reading->rest = str_skip(reading->rest, 1);
    return octet;
}

static char peek(const struct reading *reading)
{
    return reading->rest.n > 0 ? reading->rest.p[0] : '\0';
}

/* Behind a backslash: what stands for octets or a place without changing how
 * the rest is read. */
static bool is_plain_escape(char octet)
{
    return octet != '\0' && strchr("dDwWsSbBAzZGhHvVRKtnrfae", octet) != NULL;
}

/* Behind "[" within a class: the rest of "[:digit:]", or one octet. */
static bool skip_posix_class(struct reading *reading)
{
    size_t n = 0;
    if (peek(reading) == '.' || peek(reading) == '=')
        return false;
    if (peek(reading) != ':')
        return true;
    take(reading);
    while (n < reading->rest.n &&
           (ascii_is_alpha(reading->rest.p[n]) || reading->rest.p[n] == '^'))
        n++;
    reading->rest = str_skip(reading->rest, n);
    if (!str_starts_with(reading->rest, STR(":]")))
        return false;
    reading->rest = str_skip(reading->rest, 2);
    return true;
}

/* Behind the first bracket, up to the last. */
static bool skip_class(struct reading *reading)
{
    if (peek(reading) == '^')
        take(reading);
    for (bool is_first = true; reading->rest.n > 0; is_first = false) {
        char octet = take(reading);
        if (octet == ']' && !is_first)
            return true;
        if (octet == '\\' && !is_plain_escape(peek(reading)) &&
            (ascii_is_alpha(peek(reading)) || ascii_is_digit(peek(reading))))
            return false;
        if (octet == '\\' && reading->rest.n > 0)
            take(reading);
        if (octet == '[' && !skip_posix_class(reading))
            return false;
    }
    return false;
}

/* Behind "(?": the kinds whose inside ends where the parenthesis does. */
static bool is_plain_group(struct str rest)
{
    if (rest.n < 2 || rest.p[0] == '\0' || rest.p[1] == '\0')
        return false;
    if (rest.p[0] == '<')
        return ascii_is_alpha(rest.p[1]) || strchr("=!", rest.p[1]) != NULL;
    return strchr(":=!>", rest.p[0]) != NULL;
}

static bool enter_group(struct reading *reading)
{
    char octet = peek(reading);
    if (octet == '*')
        return false; /* a verb may end the match early */
    if (octet != '?')
        return true;
    take(reading);
    if (!is_plain_group(reading->rest))
        return false;
    take(reading);
    return true;
}

/* Behind the first parenthesis, up to the last. */
static bool skip_group(struct reading *reading)
{
    size_t depth = 1;
    if (!enter_group(reading))
        return false;
    while (depth > 0 && reading->rest.n > 0) {
        char octet = take(reading);
        bool is_fine = true;
        if (octet == '(') {
            depth++;
            is_fine = enter_group(reading);
        } else if (octet == ')') {
            depth--;
        } else if (octet == '[') {
            is_fine = skip_class(reading);
        } else if (octet == '\\') {
            is_fine = strchr("QEc", peek(reading)) == NULL;
            if (is_fine)
                take(reading);
        }
        if (!is_fine)
            return false;
    }
    return depth == 0;
}

static bool read_escape(struct reading *reading)
{
    char octet = reading->rest.n > 0 ? take(reading) : '\0';
    if (ascii_is_alpha(octet) || ascii_is_digit(octet)) {
        end_run(reading);
        return is_plain_escape(octet);
    }
    add_octet(reading, octet);
    return octet != '\0';
}

/* The octet before it may be missing, or come again. */
static void read_quantifier(struct reading *reading, bool may_be_none)
{
    if (may_be_none && reading->n > 0 && reading->has_room)
        reading->n--;
    end_run(reading);
    if (peek(reading) == '?' || peek(reading) == '+')
        take(reading);
}

/* Behind a brace: a quantifier, or it stands for itself. */
static void read_brace(struct reading *reading)
{
    size_t n = 0;
    while (n < reading->rest.n &&
           (ascii_is_digit(reading->rest.p[n]) || reading->rest.p[n] == ',' ||
            reading->rest.p[n] == ' '))
        n++;
    if (n == reading->rest.n || reading->rest.p[n] != '}') {
        add_octet(reading, '{');
        return;
    }
    reading->rest = str_skip(reading->rest, n + 1);
    read_quantifier(reading, true);
}

static bool read_one(struct reading *reading)
{
    char octet = take(reading);
    switch (octet) {
    case '|':
    case ')':
    case '\0':
        return false;
    case '(':
        end_run(reading);
        return skip_group(reading);
    case '[':
        end_run(reading);
        return skip_class(reading);
    case '\\':
        return read_escape(reading);
    case '*':
    case '?':
    case '+':
        read_quantifier(reading, octet != '+');
        return true;
    case '{':
        read_brace(reading);
        return true;
    case '.':
    case '^':
    case '$':
        end_run(reading);
        return true;
    default:
        add_octet(reading, octet);
        return true;
    }
}

size_t regex_literal(struct str pattern, char to[REGEX_LITERAL_MAX])
{
    struct reading reading = {.rest = pattern, .has_room = true, .best = to};
    while (reading.rest.n > 0)
        if (!read_one(&reading))
            return 0;
    end_run(&reading);
    return reading.best_n;
}
