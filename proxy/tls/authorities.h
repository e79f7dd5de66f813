/* The CA certificates that a peer's certificate is held against. */
#ifndef PROXY_TLS_AUTHORITIES_H
#define PROXY_TLS_AUTHORITIES_H

#include "config/diag.h"
#include "config/files.h"

#include <openssl/base.h>

/* Adds all of a PEM file to what `ssl` trusts. 0, or -1 with an error at
 * `mark`. */
int authorities_load(SSL_CTX *ssl, struct files *files, const char *path,
                     struct mark mark, struct diags *diags);

#endif
