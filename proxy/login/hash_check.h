/* Whether a password is the one of which a hash, or keys, are kept. Slow by
 * design: for the hashing threads. One struct a thread. */
#ifndef PROXY_LOGIN_HASH_CHECK_H
#define PROXY_LOGIN_HASH_CHECK_H

#include "proxy/login/password_hash.h"

enum hash_verdict {
    HASH_MATCHES,
    HASH_DIFFERS,
    HASH_FAILED /* out of memory, or a hash that can't be computed */
};

struct hash_check {
    void *data; /* crypt_ra()'s */
    int size;
};

void hash_check_init(struct hash_check *check);
/* Wipes. */
void hash_check_release(struct hash_check *check);

/* `password` is terminated behind `length` octets. One that can't be taken
 * (empty, with a NUL in it, too long for crypt(3)) differs, at the same cost.
 * A hash that is none differs at once. */
enum hash_verdict hash_check(struct hash_check *check, const char *password,
                             size_t length, const struct password_hash *hash);

#endif
