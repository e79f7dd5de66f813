/* The listeners' side. Each certificate has its own SSL_CTX; the first one
 * opens every connection and so holds the ticket keys of them all. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/pem_file.h"
#include "proxy/tls/tls_context_internal.h"

#include <assert.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static const struct str ALPN_SMTP = STR_INIT("smtp");

/* The first certificate goes with the key, the others are its issuers. */
static int take_certificate(void *owner, X509 *certificate)
{
    SSL_CTX *ssl = owner;
    int is_taken = 0;
    if (SSL_CTX_get0_certificate(ssl) == NULL) {
        is_taken = SSL_CTX_use_certificate(ssl, certificate);
        X509_free(certificate);
    } else {
        is_taken = SSL_CTX_add0_chain_cert(ssl, certificate);
        if (is_taken != 1)
            X509_free(certificate);
    }
    return is_taken == 1 ? 0 : -1;
}

static void warn_of_dates(const X509 *certificate,
                          const struct certificate_settings *settings,
                          struct diags *diags)
{
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        diags_warn(diags, settings->chain_mark,
                   "certificate %s has expired; clients will refuse it",
                   settings->chain);
    else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        diags_warn(diags, settings->chain_mark,
                   "certificate %s is not valid yet; clients will refuse it",
                   settings->chain);
}

static int load_chain(SSL_CTX *ssl, const struct certificate_settings *settings,
                      struct diags *diags)
{
    struct pem_file file;
    if (pem_file_read(&file, settings->chain, "certificate",
                      settings->chain_mark, diags) != 0)
        return -1;
    int count = pem_file_certificates(&file, take_certificate, ssl);
    pem_file_release(&file);
    if (count == 0)
        diags_error(diags, settings->chain_mark,
                    "certificate %s: holds no certificate in PEM form",
                    settings->chain);
    if (count < 0)
        diags_error(diags, settings->chain_mark,
                    "certificate %s: a certificate in it can't be read",
                    settings->chain);
    if (count <= 0)
        return -1;
    warn_of_dates(SSL_CTX_get0_certificate(ssl), settings, diags);
    return 0;
}

static EVP_PKEY *read_key(const struct certificate_settings *settings,
                          struct diags *diags)
{
    struct pem_file file;
    EVP_PKEY *key = NULL;
    if (pem_file_read(&file, settings->key, "private key", settings->key_mark,
                      diags) != 0)
        return NULL;
    if (file.is_open_to_others) {
        diags_error(diags, settings->key_mark,
                    "private key %s: others may read it: chmod 600 %s",
                    settings->key, settings->key);
    } else {
        key = pem_file_key(&file);
        if (key == NULL)
            diags_error(diags, settings->key_mark,
                        "private key %s: holds no private key in PEM form "
                        "(one with a passphrase can't be used)",
                        settings->key);
    }
    pem_file_release(&file);
    return key;
}

static int load_key(SSL_CTX *ssl, const struct certificate_settings *settings,
                    struct diags *diags)
{
    EVP_PKEY *key = read_key(settings, diags);
    if (key == NULL)
        return -1;
    bool has_certificate = SSL_CTX_get0_certificate(ssl) != NULL;
    int is_fitting = SSL_CTX_use_PrivateKey(ssl, key) == 1 &&
                     (!has_certificate || SSL_CTX_check_private_key(ssl) == 1);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (is_fitting)
        return 0;
    diags_error(diags, settings->key_mark,
                "private key %s does not belong to certificate %s",
                settings->key, settings->chain);
    return -1;
}

/* RFC 7301 3.2. A client that asks for another protocol has been led here
 * from another service: ALPACA. */
static int choose_protocol(SSL *ssl, const uint8_t **chosen, uint8_t *length,
                           const uint8_t *offered, unsigned size, void *owner)
{
    (void)ssl;
    (void)owner;
    for (size_t at = 0; at < size;) {
        size_t n = offered[at];
        if (n > size - at - 1)
            break;
        const uint8_t *name = offered + at + 1;
        if (str_equals(str_span((const char *)name, n), ALPN_SMTP)) {
            *chosen = name;
            *length = (uint8_t)n;
            return SSL_TLSEXT_ERR_OK;
        }
        at += 1 + n;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool is_for_name(const SSL_CTX *ssl, const char *name)
{
    return X509_check_host(SSL_CTX_get0_certificate(ssl), name, strlen(name), 0,
                           NULL) == 1;
}

static enum ssl_select_cert_result_t
choose_certificate(const SSL_CLIENT_HELLO *hello)
{
    const struct tls_context *context = SSL_get_app_data(hello->ssl);
    const char *name =
        SSL_get_servername(hello->ssl, TLSEXT_NAMETYPE_host_name);
    for (size_t i = 0; name != NULL && i < context->count; i++) {
        if (!is_for_name(context->contexts[i], name))
            continue;
        return SSL_set_SSL_CTX(hello->ssl, context->contexts[i]) != NULL
                   ? ssl_select_cert_success
                   : ssl_select_cert_error;
    }
    return ssl_select_cert_success;
}

static SSL_CTX *new_certificate(const struct tls_settings *settings,
                                const struct certificate_settings *certificate,
                                struct diags *diags)
{
    SSL_CTX *ssl = tls_context_new_ssl(settings->is_minimum_13);
    if (ssl == NULL) {
        diags_error(diags, certificate->chain_mark, "out of memory");
        return NULL;
    }
    SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!settings->has_tickets)
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    SSL_CTX_set_select_certificate_cb(ssl, choose_certificate);
    /* Both are read even if one is wrong: all errors at once. */
    int chain = load_chain(ssl, certificate, diags);
    int key = load_key(ssl, certificate, diags);
    if (chain == 0 && key == 0)
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

struct tls_context *tls_context_new_server(const struct tls_settings *settings,
                                           struct diags *diags)
{
    assert(settings->certificate_count > 0);
    const struct certificate_settings *certificates = settings->certificates;
    size_t count = settings->certificate_count;
    struct tls_context *context = tls_context_new_empty(count);
    if (context == NULL) {
        diags_error(diags, certificates[0].chain_mark, "out of memory");
        return NULL;
    }
    context->is_server = true;
    for (size_t i = 0; i < count; i++) {
        SSL_CTX *ssl = new_certificate(settings, &certificates[i], diags);
        if (ssl != NULL)
            context->contexts[context->count++] = ssl;
    }
    if (context->count == count)
        return context;
    tls_context_free(context);
    return NULL;
}
