/* Whether a password gives a hash, by crypt(3). Slow by design: for the
 * hashing threads. One struct a thread. */
#ifndef PROXY_LOGIN_HASH_CHECK_H
#define PROXY_LOGIN_HASH_CHECK_H

#include "rules/base/str.h"

enum hash_verdict {
    HASH_MATCHES,
    HASH_DIFFERS,
    HASH_FAILED /* out of memory, or a hash that crypt(3) can't compute */
};

struct hash_check {
    void *data; /* crypt_ra()'s */
    int size;
};

void hash_check_init(struct hash_check *check);
/* Wipes. */
void hash_check_release(struct hash_check *check);

/* `password` is terminated behind `length` octets. One that crypt(3) can't
 * take (empty, too long, with a NUL in it) differs, at the same cost. */
enum hash_verdict hash_check(struct hash_check *check, const char *password,
                             size_t length, const char *hash);

#endif
