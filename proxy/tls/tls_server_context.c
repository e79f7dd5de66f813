/* The listeners' side. Each certificate has its own SSL_CTX; the first one
 * opens every connection and so holds the ticket keys of them all, which
 * BoringSSL makes at random and changes every two days. Listeners that ask
 * for other client certificates have contexts, and so ticket keys, of their
 * own: no ticket is taken under another policy. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/authorities.h"
#include "proxy/tls/certificate_choice.h"
#include "proxy/tls/pem_file.h"
#include "proxy/tls/tls_context_internal.h"

#include <assert.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#define TICKET_SECONDS (2 * 60 * 60)

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
    return count > 0 ? 0 : -1;
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

/* Everything but the certificate. NULL when out of memory. */
static SSL_CTX *new_listener_ssl(const struct tls_settings *settings)
{
    static const uint8_t service[] = "smtp";
    SSL_CTX *ssl = tls_context_new_ssl(settings->is_minimum_13);
    if (ssl == NULL)
        return NULL;
    SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!settings->has_tickets)
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_timeout(ssl, TICKET_SECONDS);
    SSL_CTX_set_session_psk_dhe_timeout(ssl, TICKET_SECONDS);
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    SSL_CTX_set_select_certificate_cb(ssl, certificate_choose);
    if (SSL_CTX_set_session_id_context(ssl, service, sizeof(service)) == 1)
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

static SSL_CTX *new_certificate(const struct tls_settings *settings,
                                const struct certificate_settings *certificate,
                                struct diags *diags)
{
    SSL_CTX *ssl = new_listener_ssl(settings);
    if (ssl == NULL) {
        diags_error(diags, certificate->chain_mark, "out of memory");
        return NULL;
    }
    /* Both are read even if one is wrong: all errors at once. */
    int chain = load_chain(ssl, certificate, diags);
    int key = load_key(ssl, certificate, diags);
    if (chain == 0 && key == 0)
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

static void note_siblings(struct tls_context *context)
{
    X509 *first = SSL_CTX_get0_certificate(context->contexts[0]);
    for (size_t i = 0; i < context->count; i++)
        context->is_default[i] =
            i == 0 || certificate_is_sibling(first, SSL_CTX_get0_certificate(
                                                        context->contexts[i]));
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
    if (context->count == count) {
        note_siblings(context);
        return context;
    }
    tls_context_free(context);
    return NULL;
}

/* The same certificate, chain and key. */
static int copy_certificate(SSL_CTX *to, const SSL_CTX *from)
{
    STACK_OF(X509) *chain = NULL;
    return SSL_CTX_use_certificate(to, SSL_CTX_get0_certificate(from)) == 1 &&
                   SSL_CTX_use_PrivateKey(to, SSL_CTX_get0_privatekey(from)) ==
                       1 &&
                   SSL_CTX_get0_chain_certs(from, &chain) == 1 &&
                   SSL_CTX_set1_chain(to, chain) == 1
               ? 0
               : -1;
}

/* Asked for and not required: who has none goes on without. */
static SSL_CTX *new_asking(const SSL_CTX *base,
                           const struct tls_settings *settings,
                           const struct client_ca_settings *ca,
                           struct diags *diags)
{
    SSL_CTX *ssl = new_listener_ssl(settings);
    if (ssl == NULL || copy_certificate(ssl, base) != 0)
        diags_error(diags, ca->mark, "out of memory");
    else if (authorities_load(ssl, ca->path, ca->mark, diags) == 0) {
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        return ssl;
    }
    SSL_CTX_free(ssl);
    return NULL;
}

struct tls_context *tls_context_asking_clients(
    const struct tls_context *base, const struct tls_settings *settings,
    const struct client_ca_settings *ca, struct diags *diags)
{
    struct tls_context *context = tls_context_new_empty(base->count);
    if (context == NULL) {
        diags_error(diags, ca->mark, "out of memory");
        return NULL;
    }
    context->is_server = true;
    while (context->count < base->count) {
        SSL_CTX *ssl =
            new_asking(base->contexts[context->count], settings, ca, diags);
        if (ssl == NULL) {
            tls_context_free(context);
            return NULL;
        }
        context->contexts[context->count++] = ssl;
    }
    note_siblings(context);
    return context;
}
