/* TLS configuration of one side: certificates, versions, ciphers. Immutable
 * after the build, shared by all threads. The only rooms that see BoringSSL's
 * TLS are proxy/tls. */
#ifndef PROXY_TLS_CONTEXT_H
#define PROXY_TLS_CONTEXT_H

#include "config/settings.h"

struct tls_context;

/* For listeners. Errors (a missing or unreadable file, a key that does not
 * fit its certificate, an expired certificate as a warning) go to diags at
 * the key's mark, and the result is NULL. A private key that others may read
 * is an error. No renegotiation, no early data, TLS 1.2 at least. */
struct tls_context *tls_context_new_server(const struct tls_settings *settings,
                                           struct diags *diags);
/* For an upstream: verifies chain and name unless told otherwise. */
struct tls_context *
tls_context_new_client(const struct upstream_settings *settings,
                       struct diags *diags);
void tls_context_free(struct tls_context *context);

#endif
