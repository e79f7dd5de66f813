/* The second field of a users file: what is kept of a password, and of which
 * kind. Pure. */
#ifndef PROXY_LOGIN_PASSWORD_HASH_H
#define PROXY_LOGIN_PASSWORD_HASH_H

#include "proxy/sasl/cram_md5.h"
#include "proxy/sasl/scram_verifier.h"
#include "rules/base/arena.h"

enum password_kind {
    PASSWORD_NONE, /* "*" or "!": only a certificate or a token may name it */
    PASSWORD_CRYPT,
    PASSWORD_ARGON2,
    PASSWORD_SCRAM, /* SCRAM-SHA-256's keys; serve PLAIN and LOGIN too */
    PASSWORD_CRAM_MD5
};

/* What is not of its kind is NULL. */
struct password_hash {
    enum password_kind kind;
    bool is_weak;  /* a kind that is cheap to guess by now */
    char *setting; /* of crypt(3) or Argon2, terminated */
    struct scram_verifier *scram;
    uint8_t *cram; /* CRAM_CONTEXTS octets */
};

/* Takes the field off the beginning of a line's rest, with the colon behind
 * it. Keys in the text of RFC 5803 hold colons of their own. */
struct str password_hash_cut(struct str *rest);

/* Keeps what it reads in the arena. NULL, or what is wrong with it, in words
 * that begin "the password". */
const char *password_hash_read(struct str field, struct arena *arena,
                               struct password_hash *out);
/* A copy that outlives the file's. 0, or -1 when the arena is full; to be
 * wiped either way. */
int password_hash_copy(struct arena *arena, const struct password_hash *from,
                       struct password_hash *out);
/* Wipes what is kept. */
void password_hash_wipe(struct password_hash *hash);

#endif
