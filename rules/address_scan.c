#include "rules/address_scan.h"

#include "rules/address.h"

#include <string.h>

/* How far a reader goes: those who know ASCII alone stop where it ends. */
struct sight {
    bool is_wide_left, is_wide_right;
};

/* The farthest first: what is no address to one reader may be to the next. */
static const struct sight SIGHTS[] = {
    {true, true}, {true, false}, {false, true}, {false, false}};

static bool is_beyond_ascii(char c)
{
    return (unsigned char)c > 0x7f;
}

static bool is_separator(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f ||
           strchr("<>,;:()[]\\\"@", c) != NULL;
}

static bool is_of_name(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' ||
           c == '_';
}

static size_t scan_left(struct str text, size_t at, bool is_wide)
{
    size_t start = at;
    if (at > 0 && text.p[at - 1] == '"') {
        start--;
        while (start > 0 && at - start <= ADDRESS_LOCAL_MAX_OCTETS) {
            start--;
            if (text.p[start] == '"')
                return start;
        }
        return at;
    }
    while (start > 0 && at - start <= ADDRESS_LOCAL_MAX_OCTETS &&
           !is_separator(text.p[start - 1]) &&
           (is_wide || !is_beyond_ascii(text.p[start - 1])))
        start--;
    return start;
}

static size_t scan_right(struct str text, size_t at, bool is_wide)
{
    size_t end = at + 1;
    bool is_literal = end < text.n && text.p[end] == '[';
    while (end < text.n && end - at <= ADDRESS_MAX_OCTETS) {
        char c = text.p[end];
        if (is_literal && c == ']')
            return end + 1;
        if (!is_literal && !is_of_name(c) && !(is_wide && is_beyond_ascii(c)))
            break;
        end++;
    }
    while (end > at + 1 && (text.p[end - 1] == '.' || text.p[end - 1] == '-'))
        end--;
    return end;
}

/* What stands around the @ at `sign`, if it is an address. */
static bool read_around(struct str text, size_t sign, const struct sight *sight,
                        struct str *out)
{
    struct address parsed;
    size_t start = scan_left(text, sign, sight->is_wide_left);
    size_t end = scan_right(text, sign, sight->is_wide_right);
    struct str found = str_span(text.p + start, end - start);
    /* Dots at the front are what is left of white space around them. */
    while (found.n > 0 && found.p[0] == '.')
        found = str_skip(found, 1);
    *out = found;
    return address_parse(found, &parsed) == ADDRESS_OK;
}

bool address_scan_next(struct str text, size_t *at, struct str *out)
{
    while (*at < text.n) {
        size_t sign = (*at)++;
        if (text.p[sign] != '@')
            continue;
        for (size_t i = 0; i < sizeof SIGHTS / sizeof SIGHTS[0]; i++)
            if (read_around(text, sign, &SIGHTS[i], out))
                return true;
    }
    return false;
}
