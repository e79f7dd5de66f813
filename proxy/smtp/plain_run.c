/* Eight octets at a time: a word is passed over when none of its octets is
 * below 14, by the borrow of a subtraction into the high bits. */
#include "proxy/smtp/plain_run.h"

#include <endian.h>
#include <string.h>

#define EACH_OCTET(value) (UINT64_C(0x0101010101010101) * (value))
#define HIGH_BITS EACH_OCTET(0x80)
#define ABOVE_CR ('\r' + 1)

static bool is_plain(char c)
{
    return c != '\r' && c != '\n' && c != '\0';
}

/* The first octet of the word in the lowest bits, on any machine. */
static uint64_t load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

size_t plain_run(struct str text, bool *has_8bit)
{
    uint64_t seen = 0;
    size_t i = 0;
    while (text.n - i >= sizeof seen) {
        uint64_t word = load(text.p + i);
        uint64_t low = (word - EACH_OCTET(ABOVE_CR)) & ~word & HIGH_BITS;
        if (low == 0) {
            seen |= word;
            i += sizeof word;
            continue;
        }
        /* The lowest mark is exact; those above it need not be. */
        unsigned marked = (unsigned)__builtin_ctzll(low) / 8;
        seen |= word & ((UINT64_C(1) << (marked * 8)) - 1);
        i += marked;
        if (!is_plain(text.p[i]))
            goto out;
        i++;
    }
    for (; i < text.n && is_plain(text.p[i]); i++)
        seen |= (uint8_t)text.p[i];
out:
    *has_8bit = *has_8bit || (seen & HIGH_BITS) != 0;
    return i;
}
