/* The certificate that a side shows, with its private key. */
#ifndef PROXY_TLS_OWN_CERTIFICATE_H
#define PROXY_TLS_OWN_CERTIFICATE_H

#include "config/files.h"
#include "config/settings.h"

#include <openssl/base.h>

/* 0, or -1 with an error at the mark of each of the two files that can't be
 * used: missing, not PEM, a key that others may read or of another
 * certificate. */
int own_certificate_load(SSL_CTX *ssl,
                         const struct certificate_settings *settings,
                         struct files *files, struct diags *diags);
/* The same without the key, whose file is not read. */
int own_certificate_load_chain(SSL_CTX *ssl,
                               const struct certificate_settings *settings,
                               struct files *files, struct diags *diags);

#endif
