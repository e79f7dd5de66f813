/* The file with an issuer's public keys: read, and read again when it is no
 * longer the one that was read. Reading blocks. Immutable results. */
#ifndef PROXY_LOGIN_JWKS_FILE_H
#define PROXY_LOGIN_JWKS_FILE_H

#include "proxy/sasl/jwk_set.h"

/* Which file was read. All zero: it was
 * missing. Of the two times of a file it is the
 * one that a change of its mode moves too. */
struct jwks_stamp {
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds;
};

/* Of a file that nobody has looked for yet. */
#define JWKS_UNREAD ((struct jwks_stamp){.size = UINT64_MAX})

bool jwks_stamp_equals(const struct jwks_stamp *a, const struct jwks_stamp *b);

/* The keys of the file, to be freed; *stamp becomes what was seen. NULL, and
 * `wrong` has words that follow the file's name; those are "" when it is still
 * the one of *stamp. */
struct jwk_set *jwks_file_read(const char *path, struct jwks_stamp *stamp,
                               char *wrong, size_t room);

#endif
