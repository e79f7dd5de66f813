#include "rules/base/keyed_hash.h"

#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/siphash.h>

#include <string.h>

void keyed_hash_secret(struct str octets, uint8_t secret[KEYED_HASH_SECRET])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256((const uint8_t *)octets.p, octets.n, digest);
    memcpy(secret, digest, KEYED_HASH_SECRET);
    OPENSSL_cleanse(digest, sizeof digest);
}

uint64_t keyed_hash(const uint8_t secret[KEYED_HASH_SECRET], struct str text)
{
    uint64_t key[2];
    memcpy(key, secret, sizeof key);
    return SIPHASH_24(key, (const uint8_t *)(text.n == 0 ? "" : text.p),
                      text.n);
}

uint64_t keyed_hash_parts(const uint8_t secret[KEYED_HASH_SECRET],
                          const struct str *parts, size_t count)
{
    uint64_t key[2];
    memcpy(key, secret, sizeof key);
    /* Each hash keys the next: SipHash takes the length in by itself. */
    for (size_t i = 0; i < count; i++) {
        const char *p = parts[i].n == 0 ? "" : parts[i].p;
        key[0] ^= SIPHASH_24(key, (const uint8_t *)p, parts[i].n);
        key[1] += i + 1;
    }
    return SIPHASH_24(key, (const uint8_t *)&count, sizeof count);
}

void sha256_hex_parts(const struct str *parts, size_t count, char out[65])
{
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    SHA256_Init(&context);
    for (size_t i = 0; i < count; i++)
        if (parts[i].n > 0)
            SHA256_Update(&context, parts[i].p, parts[i].n);
    SHA256_Final(digest, &context);
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = DIGITS[digest[i] >> 4];
        out[2 * i + 1] = DIGITS[digest[i] & 15];
    }
    out[64] = '\0';
}

void sha256_hex(struct str text, char out[65])
{
    sha256_hex_parts(&text, 1, out);
}
