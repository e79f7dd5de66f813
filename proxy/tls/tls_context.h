/* TLS configuration of one side: certificates, versions, ciphers. Immutable
 * after the build but for tls_context_renew(), shared by all threads. Nothing
 * of `files` or settings is kept. The only rooms that see BoringSSL's TLS are
 * proxy/tls. */
#ifndef PROXY_TLS_CONTEXT_H
#define PROXY_TLS_CONTEXT_H

#include "config/files.h"
#include "config/settings.h"

struct tls_context;

/* For listeners. Errors (a missing or unreadable file, a key that does not
 * fit its certificate) go to diags at the key's mark, and the result is NULL.
 * A private key that others may read is an error. No renegotiation, no early
 * data, TLS 1.2 at least. */
struct tls_context *tls_context_new_server(const struct tls_settings *settings,
                                           struct files *files,
                                           struct diags *diags);
/* The same without keys, whose files are not read: each handshake asks for its
 * signature; see tls_engine_asks(). */
struct tls_context *tls_context_new_keyless(const struct tls_settings *settings,
                                            struct files *files,
                                            struct diags *diags);
/* The same certificates, for listeners that ask their clients for one of a CA
 * (RFC 8446 4.3.2); what fails the check fails the handshake. `base` is still
 * to be renewed, or shared. NULL with an error at the CA's mark. */
struct tls_context *
tls_context_asking_clients(const struct tls_context *base,
                           const struct tls_settings *settings,
                           const struct client_ca_settings *ca,
                           struct files *files, struct diags *diags);
/* For an upstream: verifies chain and name, or holds the certificate against
 * fingerprints, unless told otherwise; shows a certificate where one is given.
 * Sessions may be resumed; see tls_session.h. */
struct tls_context *
tls_context_new_client(const struct upstream_settings *settings,
                       struct files *files, struct diags *diags);
/* For a server that is asked over HTTPS: verifies chain and name, by a file of
 * CAs or, when `ca` is NULL, the system's. NULL with an error at `mark`. */
struct tls_context *tls_context_new_https(const char *ca, struct mark mark,
                                          struct files *files,
                                          struct diags *diags);
/* Handshakes that begin from now on are made with what `fresh` was made of:
 * files of the same settings that have changed; `fresh` is freed. Ticket keys
 * stay, but a ticket or a session is of no use any more where the CAs are
 * others by now that the other side is held against. Any thread. */
void tls_context_renew(struct tls_context *context, struct tls_context *fresh);
void tls_context_free(struct tls_context *context);

#endif
