#include "proxy/login/hash_check.h"

#include "proxy/login/argon2_hash.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

void hash_check_init(struct hash_check *check)
{
    *check = (struct hash_check){0};
}

void hash_check_release(struct hash_check *check)
{
    if (check->data != NULL)
        explicit_bzero(check->data, (size_t)check->size);
    free(check->data);
    *check = (struct hash_check){0};
}

/* The time tells nothing about how far two hashes are alike. */
static bool is_same(const char *a, const char *b)
{
    size_t length = strlen(a);
    if (length != strlen(b))
        return false;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

static enum hash_verdict check_crypt(struct hash_check *check,
                                     struct str password,
                                     const struct password_hash *hash)
{
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE] = {0};
    bool is_whole = password.n < sizeof phrase;
    memcpy(phrase, password.p, is_whole ? password.n : sizeof phrase - 1);
    const char *computed =
        crypt_ra(phrase, hash->setting, &check->data, &check->size);
    explicit_bzero(phrase, sizeof phrase);
    if (computed == NULL || computed[0] == '*')
        return HASH_FAILED;
    bool matches = is_same(computed, hash->setting);
    struct crypt_data *data = check->data;
    explicit_bzero(data->output, sizeof data->output);
    return matches && is_whole ? HASH_MATCHES : HASH_DIFFERS;
}

static enum hash_verdict check_argon2(struct hash_check *check,
                                      struct str password,
                                      const struct password_hash *hash)
{
    (void)check;
    enum argon2_verdict verdict = argon2_hash_check(hash->setting, password);
    return verdict == ARGON2_MATCHES   ? HASH_MATCHES
           : verdict == ARGON2_DIFFERS ? HASH_DIFFERS
                                       : HASH_FAILED;
}

static enum hash_verdict check_scram(struct hash_check *check,
                                     struct str password,
                                     const struct password_hash *hash)
{
    (void)check;
    return scram_verifier_fits(hash->scram, password) ? HASH_MATCHES
                                                      : HASH_DIFFERS;
}

static enum hash_verdict check_cram(struct hash_check *check,
                                    struct str password,
                                    const struct password_hash *hash)
{
    (void)check;
    return cram_contexts_fit(hash->cram, password) ? HASH_MATCHES
                                                   : HASH_DIFFERS;
}

static enum hash_verdict check_none(struct hash_check *check,
                                    struct str password,
                                    const struct password_hash *hash)
{
    (void)check, (void)password, (void)hash;
    return HASH_DIFFERS;
}

static enum hash_verdict (*const checks[])(struct hash_check *check,
                                           struct str password,
                                           const struct password_hash *hash) = {
    [PASSWORD_NONE] = check_none,     [PASSWORD_CRYPT] = check_crypt,
    [PASSWORD_ARGON2] = check_argon2, [PASSWORD_SCRAM] = check_scram,
    [PASSWORD_CRAM_MD5] = check_cram,
};

enum hash_verdict hash_check(struct hash_check *check, const char *password,
                             size_t length, const struct password_hash *hash)
{
    struct str text = str_span(password, length);
    enum hash_verdict verdict = checks[hash->kind](check, text, hash);
    bool is_fit = length > 0 && str_index(text, '\0') < 0;
    return verdict == HASH_MATCHES && !is_fit ? HASH_DIFFERS : verdict;
}
