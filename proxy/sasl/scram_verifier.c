#include "proxy/sasl/scram_verifier.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/saslprep.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/mem.h>
#include <openssl/sha.h>

#define RFC_SCHEME "SCRAM-SHA-256$"

static const char damaged[] =
    "the password's SCRAM keys are damaged: they are a count, a salt and two "
    "keys of 32 octets in base64";
static const char few_iterations[] =
    "the password's SCRAM keys have fewer than 4096 iterations, which clients "
    "refuse; set it anew with `postern passwd --scram`";
static const char many_iterations[] =
    "the password's SCRAM keys have over 1000000 iterations, too many to check "
    "a password against; set it anew with `postern passwd --scram`";

/* Takes either beginning off, or both. */
static struct str skip_schemes(struct str text)
{
    if (str_starts_with_nocase(text, STR(SCRAM_VERIFIER_SCHEME)))
        text = str_skip(text, strlen(SCRAM_VERIFIER_SCHEME));
    if (str_starts_with_nocase(text, STR(RFC_SCHEME)))
        text = str_skip(text, strlen(RFC_SCHEME));
    return text;
}

static bool decode(struct str text, uint8_t *to, size_t least, size_t most,
                   size_t *length)
{
    char decoded[BASE64_TEXT_MAX];
    bool is_good = base64_decode(text, decoded, length) == 0 &&
                   *length >= least && *length <= most;
    if (is_good)
        memcpy(to, decoded, *length);
    OPENSSL_cleanse(decoded, sizeof decoded);
    return is_good;
}

static bool decode_key(struct str text, uint8_t key[SCRAM_KEY_OCTETS])
{
    size_t length;
    return decode(text, key, SCRAM_KEY_OCTETS, SCRAM_KEY_OCTETS, &length);
}

static bool read_parts(struct str text, uint64_t *iterations,
                       struct scram_verifier *out)
{
    struct str count, salt, stored, server, rest;
    const char *between = str_index(text, ',') >= 0 ? ",,," : ":$:";
    return str_cut(text, between[0], &count, &rest) &&
           str_cut(rest, between[1], &salt, &rest) &&
           str_cut(rest, between[2], &stored, &server) && count.n <= 10 &&
           str_to_u64(count, iterations) == 0 &&
           decode(salt, out->salt, 1, SCRAM_SALT_MAX, &out->salt_length) &&
           decode_key(stored, out->stored_key) &&
           decode_key(server, out->server_key);
}

const char *scram_verifier_read(struct str text, struct scram_verifier *out)
{
    uint64_t iterations = 0;
    const char *wrong = NULL;
    *out = (struct scram_verifier){0};
    if (!read_parts(skip_schemes(text), &iterations, out))
        wrong = damaged;
    else if (iterations < SCRAM_ITERATIONS_MIN)
        wrong = few_iterations;
    else if (iterations > SCRAM_VERIFIER_ITERATIONS_MAX)
        wrong = many_iterations;
    if (wrong != NULL)
        OPENSSL_cleanse(out, sizeof *out);
    else
        out->iterations = (unsigned)iterations;
    return wrong;
}

void scram_verifier_write(const struct scram_verifier *verifier,
                          char to[SCRAM_VERIFIER_TEXT])
{
    char salt[BASE64_ROOM(SCRAM_SALT_MAX)];
    char stored[BASE64_ROOM(SCRAM_KEY_OCTETS)];
    char server[BASE64_ROOM(SCRAM_KEY_OCTETS)];
    base64_encode(str_span((const char *)verifier->salt, verifier->salt_length),
                  salt);
    base64_encode(str_span((const char *)verifier->stored_key,
                           sizeof verifier->stored_key),
                  stored);
    base64_encode(str_span((const char *)verifier->server_key,
                           sizeof verifier->server_key),
                  server);
    int n =
        snprintf(to, SCRAM_VERIFIER_TEXT, SCRAM_VERIFIER_SCHEME "%u,%s,%s,%s",
                 verifier->iterations, salt, stored, server);
    assert(n > 0 && n < SCRAM_VERIFIER_TEXT);
    OPENSSL_cleanse(stored, sizeof stored);
    OPENSSL_cleanse(server, sizeof server);
}

/* Of a prepared password. */
static int derive(struct scram_verifier *verifier, struct str password)
{
    uint8_t client_key[SCRAM_KEY_OCTETS];
    struct str salt =
        str_span((const char *)verifier->salt, verifier->salt_length);
    int result = scram_derive(password, salt, verifier->iterations, client_key,
                              verifier->server_key);
    if (result == 0)
        SHA256(client_key, sizeof client_key, verifier->stored_key);
    OPENSSL_cleanse(client_key, sizeof client_key);
    return result;
}

int scram_verifier_derive(struct scram_verifier *verifier, struct str password)
{
    char prepared[SCRAM_PASSWORD_MAX];
    struct str text =
        saslprep(password, SASLPREP_STORED, prepared, sizeof prepared);
    int result = text.p == NULL ? -1 : derive(verifier, text);
    OPENSSL_cleanse(prepared, sizeof prepared);
    return result;
}

bool scram_verifier_fits(const struct scram_verifier *verifier,
                         struct str password)
{
    char prepared[SCRAM_PASSWORD_MAX];
    struct scram_verifier made = *verifier;
    struct str text =
        saslprep(password, SASLPREP_QUERY, prepared, sizeof prepared);
    bool fits = derive(&made, text.p == NULL ? password : text) == 0 &&
                CRYPTO_memcmp(made.stored_key, verifier->stored_key,
                              sizeof made.stored_key) == 0;
    OPENSSL_cleanse(prepared, sizeof prepared);
    OPENSSL_cleanse(&made, sizeof made);
    return fits && text.p != NULL;
}
