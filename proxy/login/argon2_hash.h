/* Argon2 hashes (RFC 9106) in their usual text,
 * $argon2id$v=19$m=65536,t=3,p=1$SALT$HASH. What one may cost has caps, which
 * are held when it is read: a login must not take all memory. Pure. */
#ifndef PROXY_LOGIN_ARGON2_HASH_H
#define PROXY_LOGIN_ARGON2_HASH_H

#include "rules/base/str.h"

#define ARGON2_MEMORY_KIB_MAX (256 * 1024)
#define ARGON2_PASSES_MAX 10
#define ARGON2_LANES_MAX 4

enum argon2_verdict { ARGON2_MATCHES, ARGON2_DIFFERS, ARGON2_FAILED };

/* $argon2id$ or $argon2i$; there is no other that may be checked. */
bool argon2_hash_is_one(struct str text);
/* NULL, or what is wrong with it, in words that begin "the password". */
const char *argon2_hash_read(struct str text);
/* `hash` is terminated, and one that argon2_hash_read() has taken. ARGON2_
 * FAILED: out of memory, or of threads. */
enum argon2_verdict argon2_hash_check(const char *hash, struct str password);

#endif
