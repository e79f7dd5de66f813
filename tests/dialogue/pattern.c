#include "tests/dialogue/pattern.h"

#include <stdio.h>
#include <string.h>

enum token_kind { TOKEN_END, TOKEN_OCTET, TOKEN_ANY, TOKEN_ID, TOKEN_WRONG };

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, ascii_lower(c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

static enum token_kind escape_next(struct str *text, char *octet)
{
    static const char names[] = "rnt0\\*\"";
    static const char values[] = "\r\n\t\0\\*\"";
    if (text->n >= 4 && text->p[1] == 'x') {
        int high = hex_digit(text->p[2]), low = hex_digit(text->p[3]);
        *octet = (char)(high * 16 + low);
        *text = str_skip(*text, 4);
        return high < 0 || low < 0 ? TOKEN_WRONG : TOKEN_OCTET;
    }
    const char *name =
        text->n >= 2 ? memchr(names, text->p[1], sizeof names - 1) : NULL;
    if (!name)
        return TOKEN_WRONG;
    *octet = values[name - names];
    *text = str_skip(*text, 2);
    return TOKEN_OCTET;
}

static enum token_kind token_next(struct str *text, char *octet)
{
    if (!text->n)
        return TOKEN_END;
    if (text->p[0] == '\\')
        return escape_next(text, octet);
    if (str_starts_with(*text, STR("{id}"))) {
        *text = str_skip(*text, 4);
        return TOKEN_ID;
    }
    *octet = text->p[0];
    *text = str_skip(*text, 1);
    return *octet == '*' ? TOKEN_ANY : TOKEN_OCTET;
}

int escape_read(struct str text, struct octets *out)
{
    while (text.n) {
        char octet = text.p[0];
        if (octet != '\\')
            text = str_skip(text, 1);
        else if (escape_next(&text, &octet) == TOKEN_WRONG)
            return -1;
        octets_append(out, str_span(&octet, 1));
    }
    return 0;
}

void escape_write(struct str octets, struct octets *out)
{
    for (size_t i = 0; i < octets.n; i++) {
        unsigned char c = (unsigned char)octets.p[i];
        char text[8];
        if (c == '\r' || c == '\n')
            snprintf(text, sizeof text, "\\%c", c == '\r' ? 'r' : 'n');
        else if (c < 0x20 || c > 0x7e)
            snprintf(text, sizeof text, "\\x%02x", c);
        else
            snprintf(text, sizeof text, "%c", c);
        octets_append(out, str_from(text));
    }
}

int pattern_check(struct str pattern)
{
    char octet;
    enum token_kind kind;
    do
        kind = token_next(&pattern, &octet);
    while (kind != TOKEN_END && kind != TOKEN_WRONG);
    return kind == TOKEN_END ? 0 : -1;
}

/* Ten base32 characters a session, twelve a transaction. */
static bool match_id(struct str *octets)
{
    size_t n = 0;
    while (n < octets->n && (ascii_is_digit(octets->p[n]) ||
                             (octets->p[n] >= 'A' && octets->p[n] <= 'Z')))
        n++;
    *octets = str_skip(*octets, n);
    return n == 10 || n == 12;
}

/* The last * is where a mismatch goes back to. */
bool pattern_match(struct str pattern, struct str octets)
{
    struct str retry_pattern = {0}, retry_octets = {0};
    bool has_retry = false;
    for (;;) {
        char octet = 0;
        enum token_kind kind = token_next(&pattern, &octet);
        if (kind == TOKEN_END && !octets.n)
            return true;
        if (kind == TOKEN_ANY) {
            has_retry = true;
            retry_pattern = pattern;
            retry_octets = octets;
            continue;
        }
        if (kind == TOKEN_ID && match_id(&octets))
            continue;
        if (kind == TOKEN_OCTET && octets.n && octets.p[0] == octet) {
            octets = str_skip(octets, 1);
            continue;
        }
        if (!has_retry || !retry_octets.n)
            return false;
        retry_octets = str_skip(retry_octets, 1);
        octets = retry_octets;
        pattern = retry_pattern;
    }
}
