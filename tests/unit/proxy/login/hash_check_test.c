#include "proxy/login/hash_check.h"
#include "tests/unit/proxy/login/known_hashes.h"

#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const hashes[] = {
    HASH_YESCRYPT, HASH_BCRYPT, HASH_BCRYPT_Y,  HASH_SHA512,
    HASH_SHA256,   HASH_MD5,    HASH_ARGON2ID,  HASH_ARGON2ID_LANES,
    HASH_ARGON2I,  HASH_SCRAM,  HASH_SCRAM_RFC, HASH_CRAM,
};

static enum hash_verdict check_with(struct hash_check *hashing,
                                    const char *password, size_t length,
                                    const char *field)
{
    struct password_hash hash;
    struct arena arena;
    arena_init(&arena, 4096);
    assert_null(password_hash_read(str_from(field), &arena, &hash));
    enum hash_verdict verdict = hash_check(hashing, password, length, &hash);
    arena_release(&arena);
    return verdict;
}

static enum hash_verdict check(const char *password, size_t length,
                               const char *field)
{
    struct hash_check hashing;
    hash_check_init(&hashing);
    enum hash_verdict verdict = check_with(&hashing, password, length, field);
    hash_check_release(&hashing);
    return verdict;
}

static void the_right_password_matches_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        assert_int_equal(check("secret", 6, hashes[i]), HASH_MATCHES);
        assert_int_equal(check("Secret", 6, hashes[i]), HASH_DIFFERS);
        assert_int_equal(check("secre", 5, hashes[i]), HASH_DIFFERS);
        assert_int_equal(check("secret ", 7, hashes[i]), HASH_DIFFERS);
    }
}

static void a_nul_does_not_end_the_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        assert_int_equal(check("secret\0x", 8, hashes[i]), HASH_DIFFERS);
        assert_int_equal(check("secret\0", 7, hashes[i]), HASH_DIFFERS);
        assert_int_equal(check("", 0, hashes[i]), HASH_DIFFERS);
    }
}

static void passwords_that_crypt_can_not_take_differ(void **state)
{
    (void)state;
    char large[8192];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_int_equal(check(large, sizeof large - 1, HASH_SHA512), HASH_DIFFERS);
    assert_int_equal(check("", 0, HASH_SHA512), HASH_DIFFERS);

    /* Not even when the piece that crypt(3) takes would match. */
    void *data = NULL;
    int size = 0;
    large[511] = '\0';
    const char *hash =
        crypt_ra(large, "$5$rounds=1000$saltsalt$", &data, &size);
    assert_non_null(hash);
    assert_int_equal(check(large, 511, hash), HASH_MATCHES);
    large[511] = 'x';
    assert_int_equal(check(large, 512, hash), HASH_DIFFERS);
    free(data);
}

static void a_hash_that_can_not_be_computed_is_told(void **state)
{
    (void)state;
    static char damaged[] = "$2b$99$abc";
    static char cut[] = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ";
    const struct password_hash bcrypt = {.kind = PASSWORD_CRYPT,
                                         .setting = damaged};
    const struct password_hash argon2 = {.kind = PASSWORD_ARGON2,
                                         .setting = cut};
    struct hash_check hashing;
    hash_check_init(&hashing);
    assert_int_equal(hash_check(&hashing, "secret", 6, &bcrypt), HASH_FAILED);
    assert_int_equal(hash_check(&hashing, "secret", 6, &argon2), HASH_FAILED);
    hash_check_release(&hashing);
}

static void no_password_is_no_password(void **state)
{
    (void)state;
    assert_int_equal(check("secret", 6, "*"), HASH_DIFFERS);
    assert_int_equal(check("*", 1, "*"), HASH_DIFFERS);
    assert_int_equal(check("", 0, "!"), HASH_DIFFERS);
}

static void one_struct_serves_many_checks(void **state)
{
    (void)state;
    struct hash_check hashing;
    hash_check_init(&hashing);
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
        assert_int_equal(check_with(&hashing, "secret", 6, hashes[i]),
                         HASH_MATCHES);
    hash_check_release(&hashing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_matches_every_kind),
        cmocka_unit_test(a_nul_does_not_end_the_password),
        cmocka_unit_test(passwords_that_crypt_can_not_take_differ),
        cmocka_unit_test(a_hash_that_can_not_be_computed_is_told),
        cmocka_unit_test(no_password_is_no_password),
        cmocka_unit_test(one_struct_serves_many_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
