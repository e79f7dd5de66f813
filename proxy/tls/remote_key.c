/* BoringSSL asks by sign(), is told to come again, and comes again by
 * complete() each time the handshake is moved. */
#include "proxy/tls/remote_key.h"

#include "proxy/tls/key_name.h"
#include "proxy/tls/tls_context_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#define WORDS_MAX 120

enum asking {
    UNASKED, /* the question waits for somebody who takes it */
    ASKED,   /* it was taken */
    SIGNED,  /* the signature is here */
    REFUSED  /* there will be none */
};

struct remote_key {
    enum asking state;
    uint8_t name[KEY_NAME_OCTETS];
    uint16_t algorithm;
    char input[KEY_INPUT_MAX];
    size_t input_octets;
    char signature[KEY_SIGNATURE_MAX];
    size_t signature_octets;
    char words[WORDS_MAX];
};

static int learn_name(const SSL *ssl, uint8_t name[KEY_NAME_OCTETS])
{
    X509 *certificate = SSL_get_certificate(ssl);
    EVP_PKEY *key = certificate == NULL ? NULL : X509_get_pubkey(certificate);
    int result = key == NULL ? -1 : key_name_of(key, name);
    EVP_PKEY_free(key);
    return result;
}

static enum ssl_private_key_result_t sign(SSL *ssl, uint8_t *out,
                                          size_t *octets, size_t room,
                                          uint16_t algorithm,
                                          const uint8_t *input, size_t size)
{
    struct remote_key **key = tls_engine_remote_key(ssl);
    (void)out;
    (void)octets;
    (void)room;
    remote_key_free(*key);
    *key = size > KEY_INPUT_MAX ? NULL : calloc(1, sizeof **key);
    if (*key == NULL || learn_name(ssl, (*key)->name) != 0)
        return ssl_private_key_failure;
    (*key)->algorithm = algorithm;
    memcpy((*key)->input, input, size);
    (*key)->input_octets = size;
    return ssl_private_key_retry;
}

/* No cipher of ours lets the client choose the secret (RFC 5246 7.4.7.1). */
static enum ssl_private_key_result_t decrypt(SSL *ssl, uint8_t *out,
                                             size_t *octets, size_t room,
                                             const uint8_t *input, size_t size)
{
    (void)ssl;
    (void)out;
    (void)octets;
    (void)room;
    (void)input;
    (void)size;
    return ssl_private_key_failure;
}

static enum ssl_private_key_result_t complete(SSL *ssl, uint8_t *out,
                                              size_t *octets, size_t room)
{
    const struct remote_key *key = *tls_engine_remote_key(ssl);
    if (key->state == UNASKED || key->state == ASKED)
        return ssl_private_key_retry;
    if (key->state == REFUSED || key->signature_octets > room)
        return ssl_private_key_failure;
    memcpy(out, key->signature, key->signature_octets);
    *octets = key->signature_octets;
    return ssl_private_key_success;
}

static const SSL_PRIVATE_KEY_METHOD method = {
    .sign = sign, .decrypt = decrypt, .complete = complete};

void remote_key_use(SSL_CTX *ssl)
{
    SSL_CTX_set_private_key_method(ssl, &method);
}

void remote_key_free(struct remote_key *key)
{
    free(key);
}

bool remote_key_asks(struct remote_key *key, struct key_question *question)
{
    if (key == NULL || key->state != UNASKED)
        return false;
    key->state = ASKED;
    *question =
        (struct key_question){.algorithm = key->algorithm,
                              .input = str_span(key->input, key->input_octets)};
    memcpy(question->name, key->name, sizeof question->name);
    return true;
}

void remote_key_answer(struct remote_key *key, struct str signature,
                       const char *words)
{
    assert(key != NULL && key->state == ASKED);
    if (signature.n == 0 || signature.n > KEY_SIGNATURE_MAX) {
        snprintf(key->words, sizeof key->words, "%s", words);
        key->state = REFUSED;
        return;
    }
    memcpy(key->signature, signature.p, signature.n);
    key->signature_octets = signature.n;
    key->state = SIGNED;
}

const char *remote_key_words(const struct remote_key *key)
{
    return key != NULL && key->state == REFUSED ? key->words : NULL;
}
