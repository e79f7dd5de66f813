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

size_t plain_run(struct str text)
{
    size_t i = 0;
    while (text.n - i >= sizeof(uint64_t)) {
        uint64_t word = load(text.p + i);
        uint64_t low = (word - EACH_OCTET(ABOVE_CR)) & ~word & HIGH_BITS;
        /* The lowest mark is exact; those above it need not be. */
        size_t n = low == 0 ? sizeof word : (size_t)__builtin_ctzll(low) / 8;
        i += n;
        if (n == sizeof word)
            continue;
        if (!is_plain(text.p[i]))
            return i;
        i++;
    }
    while (i < text.n && is_plain(text.p[i]))
        i++;
    return i;
}
