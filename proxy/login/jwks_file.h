/* The file with an issuer's public keys. Immutable results. */
#ifndef PROXY_LOGIN_JWKS_FILE_H
#define PROXY_LOGIN_JWKS_FILE_H

#include "config/files.h"
#include "proxy/sasl/jwk_set.h"

/* The keys of the file, to be freed, and what its octets come to. NULL, and
 * `wrong` has words that follow the file's name. */
struct jwk_set *jwks_file_read(struct files *files, const char *path,
                               char digest[65], char *wrong, size_t room);

#endif
