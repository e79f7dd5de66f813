#include "proxy/login/hash_check.h"

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

enum hash_verdict hash_check(struct hash_check *check, const char *password,
                             size_t length, const char *hash)
{
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE] = {0};
    bool is_whole = length > 0 && length < sizeof phrase &&
                    memchr(password, '\0', length) == NULL;
    memcpy(phrase, password,
           length < sizeof phrase ? length : sizeof phrase - 1);
    const char *computed = crypt_ra(phrase, hash, &check->data, &check->size);
    explicit_bzero(phrase, sizeof phrase);
    if (computed == NULL || computed[0] == '*')
        return HASH_FAILED;
    bool matches = is_same(computed, hash);
    struct crypt_data *data = check->data;
    explicit_bzero(data->output, sizeof data->output);
    return matches && is_whole ? HASH_MATCHES : HASH_DIFFERS;
}
