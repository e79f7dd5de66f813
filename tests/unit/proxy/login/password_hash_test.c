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
    const char *want_fault; /* a piece of the text; NULL: it is right */
    enum password_kind want_kind;
    const char *want_setting;
    bool want_weak;
};

static const struct hash_case cases[] = {
    {.field = HASH_YESCRYPT,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_YESCRYPT},
    {.field = HASH_BCRYPT,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_BCRYPT},
    {.field = HASH_BCRYPT_Y,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_BCRYPT_Y},
    {.field = HASH_SHA512,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_SHA512},
    {.field = HASH_SHA256,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_SHA256},
    {.field = HASH_MD5,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_MD5,
     .want_weak = true},
    {.field = "{CRYPT}" HASH_YESCRYPT,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_YESCRYPT},
    {.field = "{BLF-CRYPT}" HASH_BCRYPT,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_BCRYPT},
    {.field = "{sha512-crypt}" HASH_SHA512,
     .want_kind = PASSWORD_CRYPT,
     .want_setting = HASH_SHA512},
    {.field = "", .want_fault = "missing"},
    {.field = "secret", .want_fault = "not hashed"},
    {.field = "{PLAIN}secret", .want_fault = "not hashed"},
    {.field = "{CLEARTEXT}" HASH_BCRYPT, .want_fault = "not hashed"},
    {.field = "abJnggxhB/yWI", .want_fault = "not hashed"}, /* DES */
    {.field = "{CRYPT}", .want_fault = "not hashed"},
    {.field = HASH_ARGON2ID,
     .want_kind = PASSWORD_ARGON2,
     .want_setting = HASH_ARGON2ID},
    {.field = "{ARGON2ID}" HASH_ARGON2ID,
     .want_kind = PASSWORD_ARGON2,
     .want_setting = HASH_ARGON2ID},
    {.field = "{ARGON2I}" HASH_ARGON2I,
     .want_kind = PASSWORD_ARGON2,
     .want_setting = HASH_ARGON2I},
    {.field = HASH_SCRAM, .want_kind = PASSWORD_SCRAM},
    {.field = HASH_SCRAM_RFC, .want_kind = PASSWORD_SCRAM},
    {.field = HASH_CRAM, .want_kind = PASSWORD_CRAM_MD5, .want_weak = true},
    {.field = "*", .want_kind = PASSWORD_NONE},
    {.field = "!", .want_kind = PASSWORD_NONE},
    {.field = "**", .want_fault = "not hashed"},
    {.field = "{CRYPT}*", .want_fault = "not hashed"},
    {.field = "!" HASH_BCRYPT, .want_fault = "not hashed"},
    {.field = "{ARGON2ID}$argon2id$v=19$x", .want_fault = "damaged"},
    {.field = "$argon2id$v=19$x", .want_fault = "damaged"},
    {.field = "$argon2d$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$x",
     .want_fault = "can't be checked"},
    {.field = "{ARGON2ID}" HASH_BCRYPT, .want_fault = "can't be checked"},
    {.field = "{ARGON2ID}secret", .want_fault = "not hashed"},
    {.field = "{SCRAM-SHA-256}4096,x", .want_fault = "SCRAM keys are damaged"},
    {.field = "{SCRAM-SHA-1}4096,x", .want_fault = "can't be checked"},
    {.field = "{CRAM-MD5}cd3b", .want_fault = "CRAM-MD5 contexts are damaged"},
    {.field = "{SSHA256}x", .want_fault = "can't be checked"},
    {.field = "{BLF-CRYPT" HASH_BCRYPT, .want_fault = "can't be checked"},
    {.field = "$9$x", .want_fault = "can't be checked"},
    {.field = "$y$j75$abcdefghijklmnop$", .want_fault = "damaged"},
    {.field = HASH_SHA512 "x", .want_fault = "damaged"},
    {.field = "$2b$04$abc", .want_fault = "damaged"},
    {.field = "$6$", .want_fault = "damaged"},
};

static void only_what_can_be_checked_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hash_case *one = &cases[i];
        struct password_hash hash;
        struct arena arena;
        arena_init(&arena, 4096);
        print_message("  %s\n", one->field);
        const char *fault =
            password_hash_read(str_from(one->field), &arena, &hash);
        if (one->want_fault != NULL) {
            assert_non_null(fault);
            assert_non_null(strstr(fault, one->want_fault));
            assert_null(hash.setting);
        } else {
            assert_null(fault);
            assert_int_equal(hash.kind, one->want_kind);
            assert_int_equal(hash.is_weak, one->want_weak);
            assert_int_equal(hash.scram != NULL, hash.kind == PASSWORD_SCRAM);
            assert_int_equal(hash.cram != NULL, hash.kind == PASSWORD_CRAM_MD5);
        }
        if (one->want_setting != NULL)
            assert_string_equal(hash.setting, one->want_setting);
        else
            assert_null(hash.setting);
        password_hash_wipe(&hash);
        arena_release(&arena);
    }
}

static void what_was_kept_is_wiped(void **state)
{
    static const char *const fields[] = {HASH_BCRYPT, HASH_SCRAM, HASH_CRAM};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct password_hash hash;
        struct arena arena;
        arena_init(&arena, 4096);
        assert_null(password_hash_read(str_from(fields[i]), &arena, &hash));
        const struct password_hash kept = hash;
        password_hash_wipe(&hash);
        assert_int_equal(hash.kind, PASSWORD_NONE);
        if (kept.setting != NULL)
            assert_string_equal(kept.setting, "");
        if (kept.scram != NULL)
            assert_int_equal(kept.scram->stored_key[0], 0);
        if (kept.cram != NULL)
            assert_int_equal(kept.cram[0], 0);
        arena_release(&arena);
    }
}

static void a_copy_outlives_what_it_was_made_of(void **state)
{
    static const char *const fields[] = {HASH_BCRYPT, HASH_SCRAM, HASH_CRAM,
                                         "*"};
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct password_hash first, copy, again;
        struct arena arena, own;
        arena_init(&arena, 4096);
        arena_init(&own, 4096);
        assert_null(password_hash_read(str_from(fields[i]), &arena, &first));
        assert_int_equal(password_hash_copy(&own, &first, &copy), 0);
        password_hash_wipe(&first);
        arena_reset(&arena);
        assert_null(password_hash_read(str_from(fields[i]), &arena, &again));
        assert_int_equal(copy.kind, again.kind);
        assert_int_equal(copy.is_weak, again.is_weak);
        if (again.setting != NULL)
            assert_string_equal(copy.setting, again.setting);
        if (again.scram != NULL)
            assert_memory_equal(copy.scram, again.scram, sizeof *again.scram);
        if (again.cram != NULL)
            assert_memory_equal(copy.cram, again.cram, CRAM_CONTEXTS);
        password_hash_wipe(&copy);
        password_hash_wipe(&again);
        arena_release(&arena);
        arena_release(&own);
    }
}

static void a_copy_needs_its_room(void **state)
{
    static const char *const fields[] = {HASH_BCRYPT, HASH_SCRAM, HASH_CRAM};
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct password_hash first, copy;
        struct arena arena, none;
        arena_init(&arena, 4096);
        arena_init(&none, 16);
        assert_null(password_hash_read(str_from(fields[i]), &arena, &first));
        assert_int_equal(password_hash_copy(&none, &first, &copy), -1);
        password_hash_wipe(&copy);
        password_hash_wipe(&first);
        arena_release(&none);
        arena_release(&arena);
    }
}

static void a_field_ends_at_its_own_colon(void **state)
{
    static const struct {
        const char *rest, *want_field, *want_rest;
    } lines[] = {
        {HASH_BCRYPT ":groups=a", HASH_BCRYPT, "groups=a"},
        {HASH_SCRAM ":groups=a", HASH_SCRAM, "groups=a"},
        {HASH_SCRAM_RFC ":groups=a", HASH_SCRAM_RFC, "groups=a"},
        {HASH_SCRAM_RFC, HASH_SCRAM_RFC, ""},
        {"{SCRAM-SHA-256}4096:salt$stored:server:groups=a",
         "{SCRAM-SHA-256}4096:salt$stored:server", "groups=a"},
        {"{SCRAM-SHA-256}4096,salt,stored,server:a:b",
         "{SCRAM-SHA-256}4096,salt,stored,server", "a:b"},
        {"SCRAM-SHA-256$4096:salt", "SCRAM-SHA-256$4096:salt", ""},
        {"SCRAM-SHA-256$4096:salt:", "SCRAM-SHA-256$4096:salt:", ""},
        {"", "", ""},
        {":", "", ""},
        {"*:a:b", "*", "a:b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct str rest = str_from(lines[i].rest);
        struct str field = password_hash_cut(&rest);
        print_message("  %s\n", lines[i].rest);
        assert_true(str_equals(field, str_from(lines[i].want_field)));
        assert_true(str_equals(rest, str_from(lines[i].want_rest)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_can_be_checked_is_taken),
        cmocka_unit_test(what_was_kept_is_wiped),
        cmocka_unit_test(a_copy_outlives_what_it_was_made_of),
        cmocka_unit_test(a_copy_needs_its_room),
        cmocka_unit_test(a_field_ends_at_its_own_colon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
