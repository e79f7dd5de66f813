/* The second field of a users file: which hash it is, and whether crypt(3)
 * can check a password against it. Pure. */
#ifndef PROXY_LOGIN_PASSWORD_HASH_H
#define PROXY_LOGIN_PASSWORD_HASH_H

#include "rules/base/arena.h"

struct password_hash {
    struct str setting; /* what crypt(3) takes: the field without {SCHEME} */
    bool is_weak;       /* a kind that is cheap to guess by now */
};

/* NULL, or what is wrong with it, in words that begin "the password". The
 * setting borrows from the field. */
const char *password_hash_read(struct str field, struct password_hash *out);

#endif
