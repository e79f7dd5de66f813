#include "proxy/login/user_secrets.h"

#include <string.h>

#include <openssl/digest.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

/* Where no login has SCRAM keys whose form could be taken. */
#define SALT_OCTETS 16

/* HMAC of the name, as many octets as are wanted. */
static void derive(const struct user_book *book, const char *purpose,
                   struct str name, uint8_t *to, size_t octets)
{
    uint8_t block[SHA256_DIGEST_LENGTH];
    for (uint8_t counter = 0; octets > 0; counter++) {
        size_t taken = octets < sizeof block ? octets : sizeof block;
        HMAC_CTX hmac;
        HMAC_CTX_init(&hmac);
        HMAC_Init_ex(&hmac, book->secret, sizeof book->secret, EVP_sha256(),
                     NULL);
        HMAC_Update(&hmac, &counter, 1);
        /* The NUL keeps purpose and name apart. */
        HMAC_Update(&hmac, (const uint8_t *)purpose, strlen(purpose) + 1);
        HMAC_Update(&hmac, (const uint8_t *)name.p, name.n);
        HMAC_Final(&hmac, block, NULL);
        HMAC_CTX_cleanup(&hmac);
        memcpy(to, block, taken);
        to += taken;
        octets -= taken;
    }
    explicit_bzero(block, sizeof block);
}

static void stand_in(const struct user_book *book, struct str name,
                     struct scram_verifier *out)
{
    const struct user *like = user_book_choose(book, PASSWORD_SCRAM, name);
    *out = (struct scram_verifier){.salt_length = SALT_OCTETS,
                                   .iterations = SCRAM_ITERATIONS_MIN};
    if (like != NULL) {
        out->salt_length = like->password.scram->salt_length;
        out->iterations = like->password.scram->iterations;
    }
    derive(book, "salt", name, out->salt, out->salt_length);
    derive(book, "stored key", name, out->stored_key, sizeof out->stored_key);
    derive(book, "server key", name, out->server_key, sizeof out->server_key);
}

/* Both are made, whoever it is, so that the time tells nothing. */
void user_secrets_scram(const struct user_book *book, struct str name,
                        struct scram_verifier *out)
{
    char to[LOGIN_NAME_ROOM];
    struct str key = login_name_key(name, to);
    const struct user *user = user_book_find(book, key);
    stand_in(book, key, out);
    if (user != NULL && user->password.kind == PASSWORD_SCRAM)
        *out = *user->password.scram;
}

void user_secrets_cram(const struct user_book *book, struct str name,
                       uint8_t out[CRAM_CONTEXTS])
{
    char to[LOGIN_NAME_ROOM];
    struct str key = login_name_key(name, to);
    const struct user *user = user_book_find(book, key);
    derive(book, "cram contexts", key, out, CRAM_CONTEXTS);
    if (user != NULL && user->password.kind == PASSWORD_CRAM_MD5)
        memcpy(out, user->password.cram, CRAM_CONTEXTS);
}
