#include "proxy/smtp/xtext.h"

static bool is_upper_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'A' && c <= 'F');
}

/* Stands for printable ASCII: what it says may end up in a header field of a
 * notification (RFC 3461 4.2, 4.4). */
static bool is_code(const char *digits)
{
    return is_upper_hex(digits[0]) && is_upper_hex(digits[1]) &&
           digits[0] >= '2' && digits[0] <= '7' &&
           (digits[0] != '7' || digits[1] != 'F');
}

static bool is_plain(char c)
{
    return c >= '!' && c <= '~' && c != '+' && c != '=';
}

bool xtext_is_valid(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_plain(text.p[i]))
            continue;
        if (text.p[i] != '+' || text.n - i < 3 || !is_code(text.p + i + 1))
            return false;
        i += 2;
    }
    return true;
}

struct str xtext_encode(struct arena *arena, struct str octets)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = arena_array(arena, octets.n + 1, 3);
    size_t n = 0;
    if (to == NULL)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < octets.n; i++) {
        unsigned char c = (unsigned char)octets.p[i];
        if (is_plain(octets.p[i])) {
            to[n++] = octets.p[i];
            continue;
        }
        to[n++] = '+';
        to[n++] = digits[c >> 4];
        to[n++] = digits[c & 15];
    }
    return str_span(to, n);
}
