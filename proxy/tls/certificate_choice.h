/* Which certificate a client gets: one for the name that it asked for, and of
 * those an ECDSA one if it can verify that (RFC 8446 4.4.2.2, RFC 8422). */
#ifndef PROXY_TLS_CERTIFICATE_CHOICE_H
#define PROXY_TLS_CERTIFICATE_CHOICE_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Whether `certificate` holds a name of `first`: the other half of a pair of
 * keys, most likely. */
bool certificate_is_sibling(X509 *first, X509 *certificate);

/* For SSL_CTX_set_select_certificate_cb; the SSL's app data is its
 * tls_context. A name that no certificate holds gets the first certificate
 * and its siblings of the same name. */
enum ssl_select_cert_result_t certificate_choose(const SSL_CLIENT_HELLO *hello);

#endif
