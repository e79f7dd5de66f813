/* What both sides share: versions, ciphers, the life of a context. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/tls_context_internal.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/keyed_hash.h"

/* RFC 9325 4.2: forward secrecy and authenticated encryption only. What is in
 * brackets is of equal worth: there the peer's order decides, so that one
 * without AES in hardware gets ChaCha20. TLS 1.3 has its own fixed list. */
#define CIPHERS                                                                \
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"           \
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"               \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

static BIO_METHOD *new_buffers(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tls_engine");
    if (method == NULL)
        return NULL;
    if (BIO_meth_set_read(method, tls_engine_bio_read) == 1 &&
        BIO_meth_set_write(method, tls_engine_bio_write) == 1 &&
        BIO_meth_set_ctrl(method, tls_engine_bio_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

struct tls_context *tls_context_new_empty(size_t count)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return NULL;
    struct tls_set *set = &context->set;
    set->contexts = calloc(count, sizeof(*set->contexts));
    set->is_default = calloc(count, sizeof(*set->is_default));
    context->lock = context_lock_new();
    context->buffers = new_buffers();
    if (set->contexts != NULL && set->is_default != NULL &&
        context->lock != NULL && context->buffers != NULL)
        return context;
    tls_context_free(context);
    return NULL;
}

SSL_CTX *tls_context_new_ssl(bool is_minimum_13)
{
    uint16_t minimum = is_minimum_13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX *ssl = SSL_CTX_new(TLS_method());
    if (ssl == NULL)
        return NULL;
    if (SSL_CTX_set_min_proto_version(ssl, minimum) == 1 &&
        SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_strict_cipher_list(ssl, CIPHERS) == 1) {
        /* Early data could be replayed: a mail sent twice. RFC 8446 8. */
        SSL_CTX_set_early_data_enabled(ssl, 0);
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
        return ssl;
    }
    SSL_CTX_free(ssl);
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    for (size_t i = 0; i < context->set.count; i++)
        SSL_CTX_free(context->set.contexts[i]);
    free(context->set.contexts);
    free(context->set.is_default);
    SSL_CTX_free(context->opener);
    context_lock_free(context->lock);
    free(context->pins);
    BIO_meth_free(context->buffers);
    free(context);
}

SSL *tls_context_begin(struct tls_context *context,
                       char policy[TLS_POLICY_OCTETS])
{
    context_lock_read(context->lock);
    SSL *ssl = SSL_new(context->opener != NULL ? context->opener
                                               : context->set.contexts[0]);
    memcpy(policy, context->set.policy, TLS_POLICY_OCTETS);
    context_lock_leave(context->lock);
    return ssl;
}

void tls_context_renew(struct tls_context *context, struct tls_context *fresh)
{
    struct tls_set before;
    context_lock_write(context->lock);
    before = context->set;
    context->set = fresh->set;
    context_lock_leave(context->lock);
    fresh->set = before;
    tls_context_free(fresh);
}

static int digest_of(struct files *files, enum file_kind kind, const char *path,
                     struct str *out)
{
    const struct file *file;
    *out = STR("-");
    if (path == NULL)
        return 0;
    if (files_read(files, kind, path, &file) != 0)
        return -1;
    *out = str_from(file->digest);
    return 0;
}

int tls_policy_of(struct files *files, const char *authorities,
                  const char *chain, char hex[65])
{
    struct str parts[2];
    if (digest_of(files, FILE_AUTHORITIES, authorities, &parts[0]) != 0 ||
        digest_of(files, FILE_CERTIFICATE, chain, &parts[1]) != 0)
        return -1;
    sha256_hex_parts(parts, 2, hex);
    return 0;
}
