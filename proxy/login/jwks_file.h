/* The file with an issuer's public keys: read, and read again when it is no
 * longer the one that was read. Reading blocks. Immutable results. */
#ifndef PROXY_LOGIN_JWKS_FILE_H
#define PROXY_LOGIN_JWKS_FILE_H

#include "config/file_stamp.h"
#include "proxy/sasl/jwk_set.h"

/* The keys of the file, to be freed; *stamp becomes what was seen. NULL, and
 * `wrong` has words that follow the file's name; those are "" when it is still
 * the one of *stamp. */
struct jwk_set *jwks_file_read(const char *path, struct file_stamp *stamp,
                               char *wrong, size_t room);

#endif
