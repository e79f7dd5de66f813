#include "proxy/sasl/scram_client.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/saslprep.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/mem.h>
#include <openssl/sha.h>

/* Compatibility forms grow, by 18 at most. */
#define PREPARED_MAX (SCRAM_NAME_MAX * 20)

/* RFC 5802 5: neither binds to the channel, nor speaks for somebody else; and
 * the same in base64, for the final message. */
#define GS2_HEADER "n,,"
#define GS2_BASE64 "biws"

/* Adds to what the signatures cover. */
static int speak(struct scram_client *scram, struct str text)
{
    if (text.n > sizeof scram->spoken - scram->spoken_length)
        return -1;
    memcpy(scram->spoken + scram->spoken_length, text.p, text.n);
    scram->spoken_length += text.n;
    return 0;
}

/* RFC 5802 5.1: a comma and an equals sign would read as the message's own. */
static size_t escape(struct str name, char *to, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        const char *escaped = name.p[i] == ','   ? "=2C"
                              : name.p[i] == '=' ? "=3D"
                                                 : NULL;
        size_t octets = escaped == NULL ? 1 : 3;
        if (room - n <= octets)
            return 0;
        memcpy(to + n, escaped == NULL ? &name.p[i] : escaped, octets);
        n += octets;
    }
    return n;
}

struct str scram_client_first(struct scram_client *scram, struct str name,
                              struct str password, struct scram_keys *keys,
                              char *to)
{
    const struct str none = {NULL, 0};
    char prepared[PREPARED_MAX], escaped[SCRAM_MESSAGE_MAX - 128];
    /* A nonce that is there is a test vector's. */
    if (scram->nonce[0] == '\0')
        scram_make_nonce(scram->nonce);
    scram->step = SCRAM_FIRST;
    scram->password = password;
    scram->keys = keys;
    scram->spoken_length = 0;
    if (name.n > SCRAM_NAME_MAX)
        return none;
    struct str user = saslprep(name, SASLPREP_QUERY, prepared, sizeof prepared);
    size_t length = user.p == NULL ? 0 : escape(user, escaped, sizeof escaped);
    if (length == 0)
        return none;
    int n = snprintf(to, SCRAM_MESSAGE_MAX, GS2_HEADER "n=%.*s,r=%s",
                     (int)length, escaped, scram->nonce);
    assert(n > 0 && n < SCRAM_MESSAGE_MAX);
    struct str message = str_span(to, (size_t)n);
    int result = speak(scram, str_skip(message, strlen(GS2_HEADER)));
    assert(result == 0);
    return message;
}

struct server_first {
    struct str nonce;
    char salt[BASE64_TEXT_MAX];
    size_t salt_length;
    unsigned iterations;
};

static bool read_iterations(struct str digits, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || *out > UINT16_MAX * 64U)
            return false;
        *out = *out * 10 + (unsigned)(digits.p[i] - '0');
    }
    return digits.n > 0;
}

/* RFC 5802 7. An extension that must be understood comes first, and thus is
 * none of these. */
static bool read_server_first(const struct scram_client *scram, struct str text,
                              struct server_first *out)
{
    struct str rest = text, salt, iterations, ours = str_from(scram->nonce);
    return scram_take_attribute(&rest, 'r', &out->nonce) &&
           scram_take_attribute(&rest, 's', &salt) &&
           scram_take_attribute(&rest, 'i', &iterations) &&
           out->nonce.n > ours.n && out->nonce.n < SCRAM_NONCE_MAX &&
           str_equals(str_head(out->nonce, ours.n), ours) &&
           base64_decode(salt, out->salt, &out->salt_length) == 0 &&
           out->salt_length > 0 && out->salt_length <= SCRAM_SALT_MAX &&
           read_iterations(iterations, &out->iterations);
}

static bool keys_fit(const struct scram_keys *keys,
                     const struct server_first *first)
{
    return keys->salt_length == first->salt_length &&
           keys->iterations == first->iterations &&
           memcmp(keys->salt, first->salt, first->salt_length) == 0;
}

static bool derive(const struct scram_client *scram,
                   const struct server_first *first)
{
    struct scram_keys *keys = scram->keys;
    struct str salt = str_span(first->salt, first->salt_length);
    char prepared[SCRAM_PASSWORD_MAX];
    struct str password =
        saslprep(scram->password, SASLPREP_QUERY, prepared, sizeof prepared);
    bool is_fine =
        password.p != NULL && scram_derive(password, salt, first->iterations,
                                           keys->client, keys->server) == 0;
    if (is_fine) {
        memcpy(keys->salt, first->salt, first->salt_length);
        keys->salt_length = first->salt_length;
        keys->iterations = first->iterations;
    }
    OPENSSL_cleanse(prepared, sizeof prepared);
    return is_fine;
}

/* The proof, in base64; and what the server will have to prove. */
static void sign(struct scram_client *scram, char *proof)
{
    const struct scram_keys *keys = scram->keys;
    uint8_t stored[SCRAM_KEY_OCTETS], mine[SCRAM_KEY_OCTETS];
    struct str spoken = str_span(scram->spoken, scram->spoken_length);
    SHA256(keys->client, SCRAM_KEY_OCTETS, stored);
    scram_hmac(stored, spoken, mine);
    for (size_t i = 0; i < sizeof mine; i++)
        mine[i] ^= keys->client[i];
    base64_encode(str_span((const char *)mine, sizeof mine), proof);
    scram_hmac(keys->server, spoken, scram->server_signature);
    OPENSSL_cleanse(stored, sizeof stored);
}

struct str scram_client_final(struct scram_client *scram,
                              struct str server_first, char *to,
                              const char **error)
{
    const struct str none = {NULL, 0};
    struct server_first first;
    char proof[BASE64_ROOM(SCRAM_KEY_OCTETS)];
    *error = "its SCRAM challenge is malformed";
    if (scram->step != SCRAM_FIRST || server_first.n > SCRAM_MESSAGE_MAX ||
        !read_server_first(scram, server_first, &first))
        return none;
    *error = "its SCRAM challenge has a count of iterations that is not "
             "between 4096 and 200000";
    if (first.iterations < SCRAM_ITERATIONS_MIN ||
        first.iterations > SCRAM_ITERATIONS_MAX)
        return none;
    *error = "the password has characters that SCRAM can't take";
    if (!keys_fit(scram->keys, &first) && !derive(scram, &first))
        return none;
    int n = snprintf(to, SCRAM_MESSAGE_MAX, "c=" GS2_BASE64 ",r=%.*s",
                     (int)first.nonce.n, first.nonce.p);
    assert(n > 0 && n < SCRAM_MESSAGE_MAX);
    *error = "its SCRAM challenge is too long";
    if (speak(scram, STR(",")) != 0 || speak(scram, server_first) != 0 ||
        speak(scram, STR(",")) != 0 ||
        speak(scram, str_span(to, (size_t)n)) != 0)
        return none;
    sign(scram, proof);
    n += snprintf(to + n, SCRAM_MESSAGE_MAX - (size_t)n, ",p=%s", proof);
    scram->step = SCRAM_FINAL;
    *error = NULL;
    return str_span(to, (size_t)n);
}

bool scram_client_verify(struct scram_client *scram, struct str server_final,
                         const char **error)
{
    struct str rest = server_final, value;
    char signature[BASE64_TEXT_MAX];
    size_t length;
    *error = "it did not prove that it knows the password";
    if (scram->step != SCRAM_FINAL ||
        !scram_take_attribute(&rest, 'v', &value) ||
        base64_decode(value, signature, &length) != 0 ||
        length != SCRAM_KEY_OCTETS ||
        CRYPTO_memcmp(signature, scram->server_signature, length) != 0)
        return false;
    scram->step = SCRAM_PROVEN;
    *error = NULL;
    return true;
}
