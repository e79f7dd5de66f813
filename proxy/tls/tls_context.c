/* What both sides share: versions, ciphers, the life of a context. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/tls_context_internal.h"

#include <stdlib.h>

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
    context->contexts = calloc(count, sizeof(*context->contexts));
    context->is_default = calloc(count, sizeof(*context->is_default));
    context->buffers = new_buffers();
    if (context->contexts != NULL && context->is_default != NULL &&
        context->buffers != NULL)
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
    for (size_t i = 0; i < context->count; i++)
        SSL_CTX_free(context->contexts[i]);
    free(context->contexts);
    free(context->is_default);
    free(context->pins);
    BIO_meth_free(context->buffers);
    free(context);
}
