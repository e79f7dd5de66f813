/* The inside of a TLS context, for the files of this folder. */
#ifndef PROXY_TLS_CONTEXT_INTERNAL_H
#define PROXY_TLS_CONTEXT_INTERNAL_H

#include "proxy/tls/context_lock.h"
#include "proxy/tls/tls_context.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

/* What sessions of a client are known by: see tls_policy_of(). */
#define TLS_POLICY_OCTETS 16

/* What is made of files: exchanged as a whole when these have changed. Who
 * began with it keeps it, by BoringSSL's own count of each SSL_CTX. */
struct tls_set {
    SSL_CTX **contexts; /* one a certificate, the first is the default */
    bool *is_default;   /* by index: for names that no certificate holds */
    size_t count;
    /* Client: sessions that were made under another one are not offered. */
    char policy[TLS_POLICY_OCTETS];
};

struct tls_context {
    struct context_lock *lock; /* of the set */
    struct tls_set set;
    /* Server: begins every connection and holds the ticket keys; it stays when
     * the set is exchanged. */
    SSL_CTX *opener;
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
/* A connection that begins now, under *policy; NULL when out of memory. */
SSL *tls_context_begin(struct tls_context *context,
                       char policy[TLS_POLICY_OCTETS]);
/* The policy of what is in these files, which were read; path NULL: of none.
 * -1 when out of memory. */
int tls_policy_of(struct files *files, const char *authorities,
                  const char *chain, char hex[65]);
/* Versions and ciphers, the same on both sides; NULL when out of memory. */
SSL_CTX *tls_context_new_ssl(bool is_minimum_13);

/* Moves between SSL and the buffers of the engine; see tls_engine.c. */
int tls_engine_bio_read(BIO *bio, char *to, int room);
int tls_engine_bio_write(BIO *bio, const char *octets, int count);
long tls_engine_bio_control(BIO *bio, int command, long number, void *pointer);
/* Where the engine of a connection keeps what it asks of a key that is
 * somewhere else. */
struct remote_key **tls_engine_remote_key(const SSL *ssl);
/* For SSL_CTX_sess_set_new_cb; takes the session. */
int tls_engine_new_session(SSL *ssl, SSL_SESSION *session);

#endif
