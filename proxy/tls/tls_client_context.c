/* The side of upstreams, and of what else Postern asks. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/authorities.h"
#include "proxy/tls/own_certificate.h"
#include "proxy/tls/server_proof.h"
#include "proxy/tls/tls_context_internal.h"

#include <string.h>

/* How long a session may be resumed, and so how long a certificate that was
 * good serves without being shown again. */
#define SESSION_SECONDS (2 * 60 * 60)
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

/* The file of CAs that a server is held against; NULL: it is by none. */
static const char *authorities_of(const struct upstream_settings *settings)
{
    if (!settings->is_verified || settings->fingerprint_count > 0)
        return NULL;
    return settings->ca == NULL ? SYSTEM_CA : settings->ca;
}

/* Sessions go to the engines, never into BoringSSL's own store: one of another
 * server must never be offered. */
static void allow_resumption(SSL_CTX *ssl)
{
    SSL_CTX_set_timeout(ssl, SESSION_SECONDS);
    SSL_CTX_set_session_psk_dhe_timeout(ssl, SESSION_SECONDS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT |
                                            SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, tls_engine_new_session);
}

/* 0, or -1 with an error. */
static int set_proof(struct tls_context *context, SSL_CTX *ssl,
                     const struct upstream_settings *settings,
                     struct files *files, struct diags *diags)
{
    context->is_verified = settings->is_verified;
    if (!settings->is_verified)
        return 0;
    if (settings->fingerprint_count > 0) {
        if (server_proof_pin(context, ssl, settings) == 0)
            return 0;
        diags_error(diags, settings->mark, "out of memory");
        return -1;
    }
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return authorities_load(
        ssl, files, authorities_of(settings),
        settings->ca == NULL ? settings->mark : settings->ca_mark, diags);
}

/* What a session of before would not be asked for again: 0, or -1 with an
 * error. */
static int name_sessions(struct tls_context *context, SSL_CTX *ssl,
                         const struct upstream_settings *settings,
                         struct files *files, struct diags *diags)
{
    char hex[65];
    if (tls_policy_of(files, authorities_of(settings),
                      settings->certificate.chain, hex) == 0) {
        char *policy = context->set.policy;
        memcpy(policy, hex, TLS_POLICY_OCTETS);
        if (SSL_CTX_set_session_id_context(ssl, (const uint8_t *)policy,
                                           TLS_POLICY_OCTETS) == 1)
            return 0;
    }
    diags_error(diags, settings->mark, "out of memory");
    return -1;
}

static int set_up(struct tls_context *context, SSL_CTX *ssl,
                  const struct upstream_settings *settings, struct files *files,
                  struct diags *diags)
{
    allow_resumption(ssl);
    int result = set_proof(context, ssl, settings, files, diags);
    if (settings->certificate.chain != NULL &&
        own_certificate_load(ssl, &settings->certificate, files, diags) != 0)
        result = -1;
    return name_sessions(context, ssl, settings, files, diags) == 0 ? result
                                                                    : -1;
}

/* A context with one SSL_CTX, which is also *ssl. NULL with an error. */
static struct tls_context *new_context(SSL_CTX **ssl, struct mark mark,
                                       struct diags *diags)
{
    struct tls_context *context = tls_context_new_empty(1);
    *ssl = tls_context_new_ssl(false);
    if (context == NULL || *ssl == NULL) {
        diags_error(diags, mark, "out of memory");
        SSL_CTX_free(*ssl);
        tls_context_free(context);
        return NULL;
    }
    context->set.contexts[context->set.count++] = *ssl;
    return context;
}

struct tls_context *
tls_context_new_client(const struct upstream_settings *settings,
                       struct files *files, struct diags *diags)
{
    SSL_CTX *ssl;
    struct tls_context *context = new_context(&ssl, settings->mark, diags);
    if (context == NULL || set_up(context, ssl, settings, files, diags) == 0)
        return context;
    tls_context_free(context);
    return NULL;
}

struct tls_context *tls_context_new_https(const char *ca, struct mark mark,
                                          struct files *files,
                                          struct diags *diags)
{
    SSL_CTX *ssl;
    struct tls_context *context = new_context(&ssl, mark, diags);
    if (context == NULL)
        return NULL;
    context->is_verified = true;
    context->is_https = true;
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (authorities_load(ssl, files, ca == NULL ? SYSTEM_CA : ca, mark,
                         diags) == 0)
        return context;
    tls_context_free(context);
    return NULL;
}
