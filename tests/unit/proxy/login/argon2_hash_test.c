#include "proxy/login/argon2_hash.h"
#include "tests/unit/proxy/login/known_hashes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SALT "c2FsdHNhbHQ"
#define HASH "vk+JgWgZGbXHtEqPQPhzXbD+QxxkJR5Fq2AXLhDyYaY"
#define WITH(costs) "$argon2id$v=19$" costs "$" SALT "$" HASH

static void right_passwords_match(void **state)
{
    static const char *const hashes[] = {HASH_ARGON2ID, HASH_ARGON2ID_LANES,
                                         HASH_ARGON2I};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(argon2_hash_is_one(str_from(hashes[i])));
        assert_null(argon2_hash_read(str_from(hashes[i])));
        assert_int_equal(argon2_hash_check(hashes[i], STR("secret")),
                         ARGON2_MATCHES);
        assert_int_equal(argon2_hash_check(hashes[i], STR("Secret")),
                         ARGON2_DIFFERS);
        assert_int_equal(argon2_hash_check(hashes[i], STR("secret\0")),
                         ARGON2_DIFFERS);
    }
}

struct text_case {
    const char *text;
    const char *want; /* a piece; NULL: it is right */
};

static const struct text_case cases[] = {
    {WITH("m=8,t=1,p=1"), NULL},
    {WITH("m=262144,t=10,p=4"), NULL},
    {WITH("m=262145,t=10,p=4"), "costs more"},
    {WITH("m=262144,t=11,p=4"), "costs more"},
    {WITH("m=262144,t=10,p=5"), "costs more"},
    {WITH("m=4294967295,t=1,p=1"), "costs more"},
    {WITH("m=99999999999,t=1,p=1"), "damaged"},
    {WITH("m=7,t=1,p=1"), "damaged"},
    {WITH("m=31,t=1,p=4"), "damaged"},
    {WITH("m=8,t=0,p=1"), "damaged"},
    {WITH("m=8,t=1,p=0"), "damaged"},
    {WITH("m=8,t=1"), "damaged"},
    {WITH("m=8,t=1,p=1,x=1"), "damaged"},
    {WITH("t=1,m=8,p=1"), "damaged"},
    {WITH("m=-8,t=1,p=1"), "damaged"},
    {WITH("m= 8,t=1,p=1"), "damaged"},
    {WITH("m=,t=1,p=1"), "damaged"},
    {"$argon2id$m=8,t=1,p=1$" SALT "$" HASH, "damaged"},
    {"$argon2id$v=18$m=8,t=1,p=1$" SALT "$" HASH, "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT, "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$", "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$$" HASH, "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbA$" HASH, "damaged"}, /* 7 octets */
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$c2FsdHNhbHQ", "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "=", "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "$", "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH HASH HASH, "damaged"},
    {"$argon2id$v=19$m=8,t=1,p=1$" SALT
     "$vk+JgWgZGbXHtEqPQPhzXbD+QxxkJR5Fq2AXLhDyYaZ",
     "damaged"}, /* bits left over */
    {"$argon2id$", "damaged"},
};

static void what_is_read_has_its_form_and_its_caps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].text);
        const char *wrong = argon2_hash_read(str_from(cases[i].text));
        if (cases[i].want == NULL) {
            assert_null(wrong);
            continue;
        }
        assert_non_null(wrong);
        assert_non_null(strstr(wrong, cases[i].want));
    }
    assert_false(argon2_hash_is_one(STR("$argon2d$v=19$")));
    assert_false(argon2_hash_is_one(STR("argon2id$v=19$")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_passwords_match),
        cmocka_unit_test(what_is_read_has_its_form_and_its_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
