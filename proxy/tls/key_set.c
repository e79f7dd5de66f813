#include "proxy/tls/key_set.h"

#include "proxy/tls/key_name.h"
#include "proxy/tls/tls_context_internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

struct kept_key {
    uint8_t name[KEY_NAME_OCTETS];
    EVP_PKEY *key;
};

struct key_set {
    struct kept_key *keys;
    size_t count;
};

struct key_set *key_set_of(const struct tls_context *context)
{
    const struct tls_set *shown = &context->set;
    struct key_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->keys = calloc(shown->count, sizeof *set->keys);
    for (size_t i = 0; set->keys != NULL && i < shown->count; i++) {
        EVP_PKEY *key = SSL_CTX_get0_privatekey(shown->contexts[i]);
        struct kept_key *kept = &set->keys[i];
        if (key == NULL || key_name_of(key, kept->name) != 0)
            break;
        EVP_PKEY_up_ref(key);
        kept->key = key;
        set->count++;
    }
    if (set->count == shown->count)
        return set;
    key_set_free(set);
    return NULL;
}

void key_set_free(struct key_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        EVP_PKEY_free(set->keys[i].key);
    free(set->keys);
    free(set);
}

/* RFC 8446 4.4.3: 64 spaces, these words and their NUL, a hash. */
static bool is_certificate_verify(struct str input)
{
    static const char words[] = "TLS 1.3, server CertificateVerify";
    size_t head = 64 + sizeof words;
    if (input.n != head + 32 && input.n != head + 48)
        return false;
    for (size_t i = 0; i < 64; i++)
        if (input.p[i] != ' ')
            return false;
    return memcmp(input.p + 64, words, sizeof words) == 0;
}

/* RFC 8422 5.4: both random numbers, a named curve, a point behind its size. */
static bool is_server_key_exchange(struct str input)
{
    return input.n > 68 && input.p[64] == 3 &&
           input.n == 68 + (size_t)(unsigned char)input.p[67];
}

static EVP_PKEY *find(const struct key_set *set,
                      const uint8_t name[KEY_NAME_OCTETS])
{
    for (size_t i = 0; set != NULL && i < set->count; i++)
        if (memcmp(set->keys[i].name, name, KEY_NAME_OCTETS) == 0)
            return set->keys[i].key;
    return NULL;
}

static int sign(EVP_PKEY *key, const struct key_question *question,
                struct key_signature *out)
{
    EVP_MD_CTX digest;
    EVP_PKEY_CTX *parts; /* the digest's */
    uint16_t algorithm = question->algorithm;
    size_t n = sizeof out->octets;
    EVP_MD_CTX_init(&digest);
    int is_done =
        EVP_DigestSignInit(&digest, &parts,
                           SSL_get_signature_algorithm_digest(algorithm), NULL,
                           key) == 1;
    if (is_done && SSL_is_signature_algorithm_rsa_pss(algorithm) == 1)
        is_done =
            EVP_PKEY_CTX_set_rsa_padding(parts, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(parts, -1) == 1;
    is_done = is_done && EVP_DigestSign(&digest, (uint8_t *)out->octets, &n,
                                        (const uint8_t *)question->input.p,
                                        question->input.n) == 1;
    EVP_MD_CTX_cleanup(&digest);
    ERR_clear_error();
    out->n = is_done ? n : 0;
    return is_done ? 0 : -1;
}

enum key_result key_set_sign(const struct key_set *set,
                             const struct key_question *question,
                             struct key_signature *out)
{
    EVP_PKEY *key = find(set, question->name);
    out->n = 0;
    if (key == NULL)
        return KEY_UNKNOWN;
    if (!is_certificate_verify(question->input) &&
        !is_server_key_exchange(question->input))
        return KEY_REFUSED;
    if (SSL_get_signature_algorithm_key_type(question->algorithm) !=
            EVP_PKEY_id(key) ||
        EVP_PKEY_size(key) > KEY_SIGNATURE_MAX)
        return KEY_REFUSED;
    return sign(key, question, out) == 0 ? KEY_SIGNED : KEY_REFUSED;
}
