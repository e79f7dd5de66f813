/* The inside of a TLS context, for the files of this folder. */
#ifndef PROXY_TLS_CONTEXT_INTERNAL_H
#define PROXY_TLS_CONTEXT_INTERNAL_H

#include "proxy/tls/tls_context.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX **contexts; /* one a certificate, the first is the default */
    bool *is_default;   /* by index: for names that no certificate holds */
    size_t count;
    BIO_METHOD *buffers; /* the engine's way to its two buffers */
    bool is_server;
    bool is_verified; /* client: the server must prove who it is */
    bool is_https;    /* client: of a url, not of an upstream */
    /* Client: fingerprints, of which it must show one; none: chain and name
     * must hold. */
    char (*pins)[FINGERPRINT_DIGITS];
    size_t pin_count;
};

/* A context with nothing in it yet; NULL when out of memory. */
struct tls_context *tls_context_new_empty(size_t count);
/* Versions and ciphers, the same on both sides; NULL when out of memory. */
SSL_CTX *tls_context_new_ssl(bool is_minimum_13);

/* Moves between SSL and the buffers of the engine; see tls_engine.c. */
int tls_engine_bio_read(BIO *bio, char *to, int room);
int tls_engine_bio_write(BIO *bio, const char *octets, int count);
long tls_engine_bio_control(BIO *bio, int command, long number, void *pointer);
/* For SSL_CTX_sess_set_new_cb; takes the session. */
int tls_engine_new_session(SSL *ssl, SSL_SESSION *session);

#endif
