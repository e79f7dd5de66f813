#include "proxy/smtp/unitext.h"

#include <string.h>

#include "rules/base/utf8.h"

#define CODE_DIGITS_MAX 6
#define ENCODED_MAX 6 /* octets of "\x{2B}" */

/* QUCHAR: stands for itself. */
static bool is_plain(uint32_t character)
{
    return character > ' ' && character != 0x7f && character != '+' &&
           character != '=' && character != '\\' && !utf8_is_control(character);
}

/* HEXPOINT: upper case, two digits at least, and no zero before more. */
static bool is_code_point(struct str digits)
{
    uint32_t code = 0;
    if (digits.n < 2 || digits.n > CODE_DIGITS_MAX ||
        (digits.n > 2 && digits.p[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        if (ascii_is_digit(c))
            code = code * 16 + (uint32_t)(c - '0');
        else if (c >= 'A' && c <= 'F')
            code = code * 16 + (uint32_t)(c - 'A') + 10;
        else
            return false;
    }
    if (code <= 0x7f) /* of ASCII, what may not stand for itself */
        return code >= ' ' && !is_plain(code);
    return !utf8_is_control(code) && code <= 0x10ffff &&
           (code < 0xd800 || code > 0xdfff);
}

/* The octets of the "\x{…}" that text begins with; 0: of none. */
static size_t embedded(struct str text)
{
    ptrdiff_t end = str_index(text, '}');
    if (!str_starts_with(text, STR("\\x{")) || end < 0)
        return 0;
    size_t digits = (size_t)end - 3;
    if (!is_code_point(str_head(str_skip(text, 3), digits)))
        return 0;
    return (size_t)end + 1;
}

bool unitext_is_valid(struct str text)
{
    uint32_t character;
    if (text.n == 0)
        return false;
    while (text.n > 0) {
        size_t n = utf8_next(text, &character);
        if (n == 0)
            return false;
        if (!is_plain(character))
            n = embedded(text);
        if (n == 0)
            return false;
        text = str_skip(text, n);
    }
    return true;
}

struct str unitext_encode(struct arena *arena, struct str utf8)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = arena_array(arena, utf8.n + 1, ENCODED_MAX);
    size_t used = 0;
    if (to == NULL)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < utf8.n; i++) {
        unsigned char c = (unsigned char)utf8.p[i];
        if (c > 0x7f || is_plain(c)) {
            to[used++] = utf8.p[i];
            continue;
        }
        const char code[ENCODED_MAX] = {
            '\\', 'x', '{', digits[c >> 4], digits[c & 15], '}'};
        memcpy(to + used, code, sizeof(code));
        used += sizeof(code);
    }
    return str_span(to, used);
}
