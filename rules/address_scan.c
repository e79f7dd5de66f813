#include "rules/address_scan.h"

#include "rules/address.h"

#include <string.h>

static bool is_separator(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f ||
           strchr("<>,;:()[]\\\"@", c) != NULL;
}

static size_t scan_left(struct str text, size_t at)
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
           !is_separator(text.p[start - 1]))
        start--;
    return start;
}

static size_t scan_right(struct str text, size_t at)
{
    size_t end = at + 1;
    bool is_literal = end < text.n && text.p[end] == '[';
    while (end < text.n && end - at <= ADDRESS_MAX_OCTETS) {
        char c = text.p[end];
        if (is_literal && c == ']')
            return end + 1;
        if (!is_literal && !ascii_is_alpha(c) && !ascii_is_digit(c) &&
            c != '.' && c != '-' && c != '_')
            break;
        end++;
    }
    while (end > at + 1 && (text.p[end - 1] == '.' || text.p[end - 1] == '-'))
        end--;
    return end;
}

bool address_scan_next(struct str text, size_t *at, struct str *out)
{
    struct address parsed;
    while (*at < text.n) {
        size_t sign = (*at)++;
        if (text.p[sign] != '@')
            continue;
        size_t start = scan_left(text, sign);
        struct str found =
            str_span(text.p + start, scan_right(text, sign) - start);
        /* Dots at the front are what is left of white space around them. */
        while (found.n > 0 && found.p[0] == '.')
            found = str_skip(found, 1);
        if (address_parse(found, &parsed) == ADDRESS_OK) {
            *out = found;
            return true;
        }
    }
    return false;
}
