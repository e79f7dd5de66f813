/* The upstreams' side. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/authorities.h"
#include "proxy/tls/tls_context_internal.h"

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static int load_authorities(SSL_CTX *ssl,
                            const struct upstream_settings *settings,
                            struct diags *diags)
{
    if (settings->ca != NULL)
        return authorities_load(ssl, settings->ca, settings->ca_mark, diags);
    return authorities_load(ssl, SYSTEM_CA, settings->mark, diags);
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
