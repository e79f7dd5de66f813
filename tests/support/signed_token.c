#include "tests/support/signed_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/curve25519.h>

#include "proxy/sasl/base64.h"

static const char SEED[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

void token_append(char *token, const char *text)
{
    size_t at = strlen(token), n = strlen(text);
    assert_true(at + n < SIGNED_TOKEN_ROOM);
    memcpy(token + at, text, n + 1);
}

void token_append_url(char *token, const void *octets, size_t count)
{
    char text[BASE64_ROOM(SIGNED_TOKEN_ROOM)];
    assert_true(count < SIGNED_TOKEN_ROOM);
    struct str encoded = base64_encode(str_span(octets, count), text);
    size_t n = encoded.n;
    while (n > 0 && text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    text[n] = '\0';
    token_append(token, text);
}

void token_begin(char *token, const char *header, const char *payload)
{
    token[0] = '\0';
    token_append_url(token, header, strlen(header));
    token_append(token, ".");
    token_append_url(token, payload, strlen(payload));
}

void token_sign(char *token)
{
    char seed[sizeof SEED];
    uint8_t public_key[32], private_key[64], signature[ED25519_SIGNATURE_LEN];
    size_t length;
    assert_int_equal(base64url_decode(str_from(SEED), seed, &length), 0);
    ED25519_keypair_from_seed(public_key, private_key, (const uint8_t *)seed);
    ED25519_sign(signature, (const uint8_t *)token, strlen(token), private_key);
    token_append(token, ".");
    token_append_url(token, signature, sizeof signature);
}

void token_make(char *token, const char *header, const char *payload)
{
    token_begin(token, header, payload);
    token_sign(token);
}
