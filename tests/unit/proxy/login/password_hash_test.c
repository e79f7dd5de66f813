#include "proxy/login/password_hash.h"
#include "tests/unit/proxy/login/known_hashes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct hash_case {
    const char *field;
    const char *want_setting; /* NULL: wrong */
    const char *want_fault;   /* a piece of the text */
    bool want_weak;
};

static const struct hash_case cases[] = {
    {.field = HASH_YESCRYPT, .want_setting = HASH_YESCRYPT},
    {.field = HASH_BCRYPT, .want_setting = HASH_BCRYPT},
    {.field = HASH_BCRYPT_Y, .want_setting = HASH_BCRYPT_Y},
    {.field = HASH_SHA512, .want_setting = HASH_SHA512},
    {.field = HASH_SHA256, .want_setting = HASH_SHA256},
    {.field = HASH_MD5, .want_setting = HASH_MD5, .want_weak = true},
    {.field = "{CRYPT}" HASH_YESCRYPT, .want_setting = HASH_YESCRYPT},
    {.field = "{BLF-CRYPT}" HASH_BCRYPT, .want_setting = HASH_BCRYPT},
    {.field = "{sha512-crypt}" HASH_SHA512, .want_setting = HASH_SHA512},
    {.field = "", .want_fault = "missing"},
    {.field = "secret", .want_fault = "not hashed"},
    {.field = "{PLAIN}secret", .want_fault = "not hashed"},
    {.field = "{CLEARTEXT}" HASH_BCRYPT, .want_fault = "not hashed"},
    {.field = "abJnggxhB/yWI", .want_fault = "not hashed"}, /* DES */
    {.field = "{CRYPT}", .want_fault = "not hashed"},
    {.field = "*", .want_fault = "not hashed"},
    {.field = "!" HASH_BCRYPT, .want_fault = "not hashed"},
    {.field = "{ARGON2ID}$argon2id$v=19$x", .want_fault = "not built yet"},
    {.field = "$argon2id$v=19$x", .want_fault = "not built yet"},
    {.field = "{SCRAM-SHA-256}4096,x", .want_fault = "not built yet"},
    {.field = "{SSHA256}x", .want_fault = "can't be checked"},
    {.field = "{BLF-CRYPT" HASH_BCRYPT, .want_fault = "can't be checked"},
    {.field = "$9$x", .want_fault = "can't be checked"},
    {.field = "$y$j75$abcdefghijklmnop$", .want_fault = "damaged"},
    {.field = HASH_SHA512 "x", .want_fault = "damaged"},
    {.field = "$2b$04$abc", .want_fault = "damaged"},
    {.field = "$6$", .want_fault = "damaged"},
};

static void only_what_crypt_can_check_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hash_case *one = &cases[i];
        struct password_hash hash = {{NULL, 0}, false};
        print_message("  %s\n", one->field);
        const char *fault = password_hash_read(str_from(one->field), &hash);
        if (one->want_setting == NULL) {
            assert_non_null(fault);
            assert_non_null(strstr(fault, one->want_fault));
            continue;
        }
        assert_null(fault);
        assert_true(str_equals(hash.setting, str_from(one->want_setting)));
        assert_int_equal(hash.is_weak, one->want_weak);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_crypt_can_check_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
