/* The listeners' side. Each certificate has its own SSL_CTX; one without any
 * opens every connection and so holds the ticket keys of them all, which
 * BoringSSL makes at random and changes every two days. Listeners that ask
 * for other client certificates have contexts, and so ticket keys, of their
 * own: no ticket is taken under another policy. Where the CAs of one have
 * changed, that is told by the name that tickets were given under. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/authorities.h"
#include "proxy/tls/certificate_choice.h"
#include "proxy/tls/own_certificate.h"
#include "proxy/tls/remote_key.h"
#include "proxy/tls/tls_context_internal.h"

#include <assert.h>

#include <openssl/x509.h>

#define TICKET_SECONDS (2 * 60 * 60)

static const struct str ALPN_SMTP = STR_INIT("smtp");

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

/* A ticket is taken only under the name that it was given under. */
static int name_sessions(SSL_CTX *ssl, struct str name)
{
    size_t n =
        name.n < SSL_MAX_SID_CTX_LENGTH ? name.n : SSL_MAX_SID_CTX_LENGTH;
    return SSL_CTX_set_session_id_context(ssl, (const uint8_t *)name.p, n) == 1
               ? 0
               : -1;
}

/* Everything but the certificate. NULL when out of memory. */
static SSL_CTX *new_listener_ssl(const struct tls_settings *settings)
{
    const struct str service = STR("smtp");
    SSL_CTX *ssl = tls_context_new_ssl(settings->is_minimum_13);
    if (ssl == NULL)
        return NULL;
    SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!settings->has_tickets)
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    /* A mail client has one connection; each ticket costs a key. */
    SSL_CTX_set_num_tickets(ssl, 1);
    SSL_CTX_set_timeout(ssl, TICKET_SECONDS);
    SSL_CTX_set_session_psk_dhe_timeout(ssl, TICKET_SECONDS);
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    SSL_CTX_set_select_certificate_cb(ssl, certificate_choose);
    if (name_sessions(ssl, service) == 0)
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

static int load_keyless(SSL_CTX *ssl,
                        const struct certificate_settings *certificate,
                        struct files *files, struct diags *diags)
{
    if (own_certificate_load_chain(ssl, certificate, files, diags) != 0)
        return -1;
    remote_key_use(ssl);
    return 0;
}

typedef int certificate_loader(SSL_CTX *ssl,
                               const struct certificate_settings *certificate,
                               struct files *files, struct diags *diags);

static SSL_CTX *new_certificate(const struct tls_settings *settings,
                                const struct certificate_settings *certificate,
                                certificate_loader *load, struct files *files,
                                struct diags *diags)
{
    SSL_CTX *ssl = new_listener_ssl(settings);
    if (ssl == NULL) {
        diags_error(diags, certificate->chain_mark, "out of memory");
        return NULL;
    }
    if (load(ssl, certificate, files, diags) == 0)
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

static void note_siblings(struct tls_set *set)
{
    X509 *first = SSL_CTX_get0_certificate(set->contexts[0]);
    for (size_t i = 0; i < set->count; i++)
        set->is_default[i] =
            i == 0 || certificate_is_sibling(
                          first, SSL_CTX_get0_certificate(set->contexts[i]));
}

/* Room for so many certificates; NULL when out of memory. */
static struct tls_context *new_listener(const struct tls_settings *settings,
                                        size_t count)
{
    struct tls_context *context = tls_context_new_empty(count);
    if (context == NULL)
        return NULL;
    context->is_server = true;
    context->opener = new_listener_ssl(settings);
    if (context->opener != NULL)
        return context;
    tls_context_free(context);
    return NULL;
}

static struct tls_context *new_server(const struct tls_settings *settings,
                                      certificate_loader *load,
                                      struct files *files, struct diags *diags)
{
    assert(settings->certificate_count > 0);
    const struct certificate_settings *certificates = settings->certificates;
    size_t count = settings->certificate_count;
    struct tls_context *context = new_listener(settings, count);
    if (context == NULL) {
        diags_error(diags, certificates[0].chain_mark, "out of memory");
        return NULL;
    }
    struct tls_set *set = &context->set;
    for (size_t i = 0; i < count; i++) {
        SSL_CTX *ssl =
            new_certificate(settings, &certificates[i], load, files, diags);
        if (ssl != NULL)
            set->contexts[set->count++] = ssl;
    }
    if (set->count == count) {
        note_siblings(set);
        return context;
    }
    tls_context_free(context);
    return NULL;
}

struct tls_context *tls_context_new_server(const struct tls_settings *settings,
                                           struct files *files,
                                           struct diags *diags)
{
    return new_server(settings, own_certificate_load, files, diags);
}

struct tls_context *tls_context_new_keyless(const struct tls_settings *settings,
                                            struct files *files,
                                            struct diags *diags)
{
    return new_server(settings, load_keyless, files, diags);
}

static int copy_key(SSL_CTX *to, const SSL_CTX *from)
{
    EVP_PKEY *key = SSL_CTX_get0_privatekey(from);
    if (key != NULL)
        return SSL_CTX_use_PrivateKey(to, key);
    remote_key_use(to);
    return 1;
}

/* The same certificate, chain and key. */
static int copy_certificate(SSL_CTX *to, const SSL_CTX *from)
{
    STACK_OF(X509) *chain = NULL;
    return SSL_CTX_use_certificate(to, SSL_CTX_get0_certificate(from)) == 1 &&
                   copy_key(to, from) == 1 &&
                   SSL_CTX_get0_chain_certs(from, &chain) == 1 &&
                   SSL_CTX_set1_chain(to, chain) == 1
               ? 0
               : -1;
}

/* Asked for and not required: who has none goes on without. */
static SSL_CTX *new_asking(const SSL_CTX *base,
                           const struct tls_settings *settings,
                           const struct client_ca_settings *ca,
                           struct files *files, struct diags *diags)
{
    SSL_CTX *ssl = new_listener_ssl(settings);
    char policy[65];
    if (ssl == NULL || copy_certificate(ssl, base) != 0)
        diags_error(diags, ca->mark, "out of memory");
    else if (authorities_load(ssl, files, ca->path, ca->mark, diags) == 0) {
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        if (tls_policy_of(files, ca->path, NULL, policy) == 0 &&
            name_sessions(ssl, str_from(policy)) == 0)
            return ssl;
        diags_error(diags, ca->mark, "out of memory");
    }
    SSL_CTX_free(ssl);
    return NULL;
}

struct tls_context *
tls_context_asking_clients(const struct tls_context *base,
                           const struct tls_settings *settings,
                           const struct client_ca_settings *ca,
                           struct files *files, struct diags *diags)
{
    struct tls_context *context = new_listener(settings, base->set.count);
    if (context == NULL) {
        diags_error(diags, ca->mark, "out of memory");
        return NULL;
    }
    struct tls_set *set = &context->set;
    SSL_CTX_set_verify(context->opener, SSL_VERIFY_PEER, NULL);
    while (set->count < base->set.count) {
        SSL_CTX *ssl = new_asking(base->set.contexts[set->count], settings, ca,
                                  files, diags);
        if (ssl == NULL) {
            tls_context_free(context);
            return NULL;
        }
        set->contexts[set->count++] = ssl;
    }
    note_siblings(set);
    return context;
}
