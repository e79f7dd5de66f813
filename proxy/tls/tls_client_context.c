/* The upstreams' side. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/pem_file.h"
#include "proxy/tls/tls_context_internal.h"

#include <openssl/x509.h>

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static int take_authority(void *owner, X509 *certificate)
{
    X509_STORE *store = owner;
    int is_taken = X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
    return is_taken == 1 ? 0 : -1;
}

static int load_authorities(SSL_CTX *ssl,
                            const struct upstream_settings *settings,
                            struct diags *diags)
{
    bool is_own = settings->ca != NULL;
    const char *path = is_own ? settings->ca : SYSTEM_CA;
    struct mark mark = is_own ? settings->ca_mark : settings->mark;
    struct pem_file file;
    if (pem_file_read(&file, path, "CA file", mark, diags) != 0)
        return -1;
    int count = pem_file_certificates(&file, take_authority,
                                      SSL_CTX_get_cert_store(ssl));
    pem_file_release(&file);
    if (count == 0)
        diags_error(diags, mark, "CA file %s: holds no certificate in PEM form",
                    path);
    if (count < 0)
        diags_error(diags, mark,
                    "CA file %s: a certificate in it can't be read", path);
    return count > 0 ? 0 : -1;
}

static SSL_CTX *new_ssl(const struct upstream_settings *settings,
                        struct diags *diags)
{
    SSL_CTX *ssl = tls_context_new_ssl(false);
    if (ssl == NULL) {
        diags_error(diags, settings->mark, "out of memory");
        return NULL;
    }
    if (!settings->is_verified)
        return ssl;
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (load_authorities(ssl, settings, diags) == 0)
        return ssl;
    SSL_CTX_free(ssl);
    return NULL;
}

struct tls_context *
tls_context_new_client(const struct upstream_settings *settings,
                       struct diags *diags)
{
    SSL_CTX *ssl = new_ssl(settings, diags);
    if (ssl == NULL)
        return NULL;
    struct tls_context *context = tls_context_new_empty(1);
    if (context == NULL) {
        diags_error(diags, settings->mark, "out of memory");
        SSL_CTX_free(ssl);
        return NULL;
    }
    context->is_verified = settings->is_verified;
    context->contexts[context->count++] = ssl;
    return context;
}
