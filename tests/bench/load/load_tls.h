/* How the client does TLS: as it was asked, trusting anybody. */
#ifndef BENCH_LOAD_LOAD_TLS_H
#define BENCH_LOAD_LOAD_TLS_H

#include <openssl/ssl.h>

#include "tests/bench/load/load_options.h"

struct load_session;

/* NULL where there is no TLS. */
SSL_CTX *load_tls_new(const struct load_options *options);
/* The handshake of a session's wire comes next; what the session may resume
 * is kept with it. */
void load_tls_secure(struct load_session *session);

#endif
