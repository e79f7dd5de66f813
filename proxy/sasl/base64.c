#include "proxy/sasl/base64.h"

#include <openssl/base64.h>
#include <openssl/mem.h>

/* EVP_DecodeBase64() refuses white space and wrong padding; that the unused
 * bits of the last character are zero is seen by encoding again. */
static bool is_canonical(struct str text, struct str decoded)
{
    char again[BASE64_TEXT_MAX + 1];
    bool is_same = str_equals(text, base64_encode(decoded, again));
    OPENSSL_cleanse(again, sizeof again);
    return is_same;
}

int base64_decode(struct str text, char *to, size_t *length)
{
    *length = 0;
    if (text.n == 0)
        return 0;
    if (text.n > BASE64_TEXT_MAX ||
        !EVP_DecodeBase64((uint8_t *)to, length, BASE64_TEXT_MAX,
                          (const uint8_t *)text.p, text.n))
        return -1;
    return is_canonical(text, str_span(to, *length)) ? 0 : -1;
}

struct str base64_encode(struct str octets, char *to)
{
    if (octets.n == 0) {
        to[0] = '\0';
        return str_span(to, 0);
    }
    return str_span(to, EVP_EncodeBlock((uint8_t *)to,
                                        (const uint8_t *)octets.p, octets.n));
}

/* The six bits of a character, or -1. */
static int url_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int base64url_decode(struct str text, char *to, size_t *length)
{
    unsigned bits = 0;
    int count = 0;
    *length = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = url_value(text.p[i]);
        if (value < 0)
            return -1;
        bits = (bits << 6 | (unsigned)value) & 0xfff;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        to[(*length)++] = (char)(unsigned char)(bits >> count);
    }
    /* A lone character holds no octet; what is left over is zero. */
    bool is_canonical_end = count < 6 && (bits & ((1U << count) - 1)) == 0;
    return is_canonical_end ? 0 : -1;
}
