#include "proxy/sasl/cram_md5.h"

#include <string.h>

#include <openssl/md5.h>
#include <openssl/mem.h>

static int digit_of(char c, bool allows_upper)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (allows_upper && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_read(struct str text, bool allows_upper, uint8_t *to, size_t octets)
{
    if (text.n != 2 * octets)
        return -1;
    for (size_t i = 0; i < octets; i++) {
        int high = digit_of(text.p[2 * i], allows_upper);
        int low = digit_of(text.p[2 * i + 1], allows_upper);
        if (high < 0 || low < 0)
            return -1;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int cram_contexts_read(struct str text, uint8_t out[CRAM_CONTEXTS])
{
    if (str_starts_with_nocase(text, STR(CRAM_SCHEME)))
        text = str_skip(text, strlen(CRAM_SCHEME));
    return hex_read(text, true, out, CRAM_CONTEXTS);
}

/* MD5's state is four numbers, the lowest octet first. */
static void write_state(const MD5_CTX *md5, uint8_t *to)
{
    for (size_t i = 0; i < 4; i++)
        for (size_t octet = 0; octet < 4; octet++)
            to[4 * i + octet] = (uint8_t)(md5->h[i] >> 8 * octet);
}

/* As it is after one block. */
static void read_state(const uint8_t *from, MD5_CTX *md5)
{
    MD5_Init(md5);
    for (size_t i = 0; i < 4; i++)
        md5->h[i] = (uint32_t)from[4 * i] | (uint32_t)from[4 * i + 1] << 8 |
                    (uint32_t)from[4 * i + 2] << 16 |
                    (uint32_t)from[4 * i + 3] << 24;
    md5->Nl = MD5_CBLOCK * 8;
}

static void derive_state(const uint8_t key[MD5_CBLOCK], uint8_t pad,
                         uint8_t *to)
{
    MD5_CTX md5;
    uint8_t block[MD5_CBLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ pad;
    MD5_Init(&md5);
    MD5_Update(&md5, block, sizeof block);
    write_state(&md5, to);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&md5, sizeof md5);
}

static void derive(struct str password, uint8_t out[CRAM_CONTEXTS])
{
    uint8_t key[MD5_CBLOCK] = {0};
    if (password.n > sizeof key)
        MD5((const uint8_t *)password.p, password.n, key);
    else
        memcpy(key, password.p, password.n);
    derive_state(key, 0x5c, out);
    derive_state(key, 0x36, out + CRAM_CONTEXTS / 2);
    OPENSSL_cleanse(key, sizeof key);
}

bool cram_contexts_fit(const uint8_t contexts[CRAM_CONTEXTS],
                       struct str password)
{
    uint8_t made[CRAM_CONTEXTS];
    derive(password, made);
    bool fit = CRYPTO_memcmp(made, contexts, sizeof made) == 0;
    OPENSSL_cleanse(made, sizeof made);
    return fit;
}

void cram_digest(const uint8_t contexts[CRAM_CONTEXTS], struct str challenge,
                 uint8_t out[CRAM_DIGEST])
{
    MD5_CTX md5;
    uint8_t inner[CRAM_DIGEST];
    read_state(contexts + CRAM_CONTEXTS / 2, &md5);
    MD5_Update(&md5, challenge.p, challenge.n);
    MD5_Final(inner, &md5);
    read_state(contexts, &md5);
    MD5_Update(&md5, inner, sizeof inner);
    MD5_Final(out, &md5);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(&md5, sizeof md5);
}
