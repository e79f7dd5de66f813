#include "proxy/tls/certificate_choice.h"

#include "proxy/tls/tls_context_internal.h"

#include <string.h>

#include <openssl/bytestring.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* How well a certificate fits the name; more is better. */
enum name_fit { FITS_NOT, FITS_AS_DEFAULT, FITS_BY_WILDCARD, FITS_EXACTLY };

static bool holds(X509 *certificate, const char *name, unsigned flags)
{
    return X509_check_host(certificate, name, strlen(name), flags, NULL) == 1;
}

bool certificate_is_sibling(X509 *first, X509 *certificate)
{
    bool is_found = false;
    GENERAL_NAMES *names =
        X509_get_ext_d2i(first, NID_subject_alt_name, NULL, NULL);
    for (size_t i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char text[256];
        if (name->type != GEN_DNS || name->d.dNSName->length <= 0 ||
            (size_t)name->d.dNSName->length >= sizeof(text))
            continue;
        memcpy(text, name->d.dNSName->data, (size_t)name->d.dNSName->length);
        text[name->d.dNSName->length] = '\0';
        is_found = is_found || holds(certificate, text, 0);
    }
    GENERAL_NAMES_free(names);
    return is_found;
}

static enum name_fit fit_name(const struct tls_set *set, size_t i,
                              const char *name)
{
    X509 *certificate = SSL_CTX_get0_certificate(set->contexts[i]);
    if (name != NULL && holds(certificate, name, X509_CHECK_FLAG_NO_WILDCARDS))
        return FITS_EXACTLY;
    if (name != NULL && holds(certificate, name, 0))
        return FITS_BY_WILDCARD;
    return set->is_default[i] ? FITS_AS_DEFAULT : FITS_NOT;
}

static uint16_t scheme_of_key(const EVP_PKEY *key)
{
    if (EVP_PKEY_id(key) == EVP_PKEY_ED25519)
        return SSL_SIGN_ED25519;
    if (EVP_PKEY_id(key) != EVP_PKEY_EC)
        return 0;
    const EC_GROUP *curve = EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key));
    switch (EC_GROUP_get_curve_name(curve)) {
    case NID_secp384r1:
        return SSL_SIGN_ECDSA_SECP384R1_SHA384;
    case NID_secp521r1:
        return SSL_SIGN_ECDSA_SECP521R1_SHA512;
    default:
        return SSL_SIGN_ECDSA_SECP256R1_SHA256;
    }
}

/* The signature scheme of TLS 1.3 that a certificate's key signs with; 0: an
 * RSA key, which everybody verifies. The key itself may be somewhere else. */
static uint16_t scheme_of(const SSL_CTX *ssl)
{
    EVP_PKEY *key = X509_get_pubkey(SSL_CTX_get0_certificate(ssl));
    uint16_t scheme = key == NULL ? 0 : scheme_of_key(key);
    EVP_PKEY_free(key);
    return scheme;
}

static bool list_holds(CBS list, uint16_t wanted)
{
    uint16_t value;
    while (CBS_get_u16(&list, &value))
        if (value == wanted)
            return true;
    return false;
}

/* A list of 16-bit values behind a length of `length_octets`. */
static bool extension_holds(const SSL_CLIENT_HELLO *hello, uint16_t extension,
                            bool has_short_length, uint16_t wanted)
{
    const uint8_t *octets;
    size_t n;
    CBS all, list;
    if (!SSL_early_callback_ctx_extension_get(hello, extension, &octets, &n))
        return false;
    CBS_init(&all, octets, n);
    int is_read = has_short_length ? CBS_get_u8_length_prefixed(&all, &list)
                                   : CBS_get_u16_length_prefixed(&all, &list);
    return is_read == 1 && list_holds(list, wanted);
}

static bool takes_ecdsa_ciphers(const SSL_CLIENT_HELLO *hello)
{
    CBS ciphers;
    if (extension_holds(hello, TLSEXT_TYPE_supported_versions, true,
                        TLS1_3_VERSION))
        return true; /* its ciphers fit any key */
    CBS_init(&ciphers, hello->cipher_suites, hello->cipher_suites_len);
    return list_holds(ciphers, 0xc02b) || list_holds(ciphers, 0xc02c) ||
           list_holds(ciphers, 0xcca9);
}

static bool is_verifiable(const SSL_CLIENT_HELLO *hello, const SSL_CTX *ssl)
{
    uint16_t scheme = scheme_of(ssl);
    return scheme == 0 ||
           (extension_holds(hello, TLSEXT_TYPE_signature_algorithms, false,
                            scheme) &&
            takes_ecdsa_ciphers(hello));
}

/* Of two that fit the name alike: one that the client can verify, then one
 * whose signatures are cheaper. */
static unsigned worth(const SSL_CLIENT_HELLO *hello, const SSL_CTX *ssl)
{
    if (!is_verifiable(hello, ssl))
        return 0;
    return scheme_of(ssl) == 0 ? 1 : 2;
}

static SSL_CTX *choose(const struct tls_set *set, const SSL_CLIENT_HELLO *hello)
{
    const char *name =
        SSL_get_servername(hello->ssl, TLSEXT_NAMETYPE_host_name);
    SSL_CTX *chosen = set->contexts[0];
    unsigned best = 0;
    for (size_t i = 0; i < set->count; i++) {
        enum name_fit fit = fit_name(set, i, name);
        unsigned value = (unsigned)fit * 4 + worth(hello, set->contexts[i]);
        if (fit == FITS_NOT || value <= best)
            continue;
        best = value;
        chosen = set->contexts[i];
    }
    return chosen;
}

enum ssl_select_cert_result_t certificate_choose(const SSL_CLIENT_HELLO *hello)
{
    const struct tls_context *context = SSL_get_app_data(hello->ssl);
    context_lock_read(context->lock);
    /* From here on the connection holds it. */
    bool is_set =
        SSL_set_SSL_CTX(hello->ssl, choose(&context->set, hello)) != NULL;
    context_lock_leave(context->lock);
    return is_set ? ssl_select_cert_success : ssl_select_cert_error;
}
