#include "rules/base/str.h"

#include <string.h>

struct str str_from(const char *terminated)
{
    return (struct str){terminated, strlen(terminated)};
}

struct str str_span(const char *p, size_t n)
{
    return (struct str){p, n};
}

bool str_equals(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool ascii_is_alpha(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool str_equals_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t shared = a.n < b.n ? a.n : b.n;
    int order = shared == 0 ? 0 : memcmp(a.p, b.p, shared);
    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_equals(str_head(s, prefix.n), prefix);
}

bool str_starts_with_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_equals_nocase(str_head(s, prefix.n), prefix);
}

bool str_ends_with_nocase(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           str_equals_nocase(str_skip(s, s.n - suffix.n), suffix);
}

bool str_has_8bit(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

ptrdiff_t str_index(struct str s, char octet)
{
    const char *at = s.n == 0 ? NULL : memchr(s.p, octet, s.n);
    return at == NULL ? -1 : at - s.p;
}

ptrdiff_t str_last_index(struct str s, char octet)
{
    const char *at = s.n == 0 ? NULL : memrchr(s.p, octet, s.n);
    return at == NULL ? -1 : at - s.p;
}

struct str str_skip(struct str s, size_t start)
{
    if (start >= s.n)
        return (struct str){s.n == 0 ? s.p : s.p + s.n, 0};
    return (struct str){s.p + start, s.n - start};
}

struct str str_head(struct str s, size_t end)
{
    return (struct str){s.p, end < s.n ? end : s.n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = str_skip(s, 1);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_cut(struct str s, char octet, struct str *head, struct str *tail)
{
    ptrdiff_t at = str_index(s, octet);
    if (at < 0) {
        *head = s;
        *tail = str_skip(s, s.n);
        return false;
    }
    *head = str_head(s, (size_t)at);
    *tail = str_skip(s, (size_t)at + 1);
    return true;
}

void str_cut_line(struct str s, struct str *line, struct str *rest)
{
    str_cut(s, '\n', line, rest);
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
}

int str_to_u64(struct str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0)
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return -1;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    *out = value;
    return 0;
}
