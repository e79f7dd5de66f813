#include "rules/base/utf8.h"

/* How many octets follow a lead octet, and the smallest character that needs
 * as many: a smaller one is an overlong form. */
struct lead {
    unsigned char mask, bits;
    size_t octets;
    uint32_t least;
};

static const struct lead leads[] = {
    {.mask = 0x80, .bits = 0x00, .octets = 1, .least = 0},
    {.mask = 0xe0, .bits = 0xc0, .octets = 2, .least = 0x80},
    {.mask = 0xf0, .bits = 0xe0, .octets = 3, .least = 0x800},
    {.mask = 0xf8, .bits = 0xf0, .octets = 4, .least = 0x10000},
};

static const struct lead *find_lead(unsigned char octet)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if ((octet & leads[i].mask) == leads[i].bits)
            return &leads[i];
    return NULL;
}

size_t utf8_next(struct str s, uint32_t *character)
{
    if (s.n == 0)
        return 0;
    unsigned char first = (unsigned char)s.p[0];
    const struct lead *lead = find_lead(first);
    if (lead == NULL || lead->octets > s.n)
        return 0;
    uint32_t value = first & (unsigned char)~lead->mask;
    for (size_t i = 1; i < lead->octets; i++) {
        unsigned char octet = (unsigned char)s.p[i];
        if ((octet & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (octet & 0x3f);
    }
    if (value < lead->least || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *character = value;
    return lead->octets;
}

bool utf8_is_valid(struct str s)
{
    uint32_t character;
    while (s.n > 0) {
        size_t octets = utf8_next(s, &character);
        if (octets == 0)
            return false;
        s = str_skip(s, octets);
    }
    return true;
}

bool utf8_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f) ||
           character == 0x061c || character == 0xfeff ||
           (character >= 0x200e && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}
