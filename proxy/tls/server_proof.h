/* How the server of an upstream proves who it is where that is not by chain
 * and name: by a pinned certificate; and what to say when it did not. */
#ifndef PROXY_TLS_SERVER_PROOF_H
#define PROXY_TLS_SERVER_PROOF_H

#include "config/settings.h"
#include "proxy/tls/tls_context.h"

#include <openssl/base.h>

/* Pins are copied. 0, or -1 when out of memory. */
int server_proof_pin(struct tls_context *context, SSL_CTX *ssl,
                     const struct upstream_settings *settings);

/* After a handshake of ours failed for the server's certificate: what is wrong
 * with it, its fingerprint, and what may be done. */
void server_proof_words(const SSL *ssl, char *to, size_t room);

#endif
