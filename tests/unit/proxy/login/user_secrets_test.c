#include "proxy/login/user_secrets.h"
#include "tests/unit/proxy/login/known_hashes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS                                                                   \
    "A/RcGOieQ+SLO/Ft9EA8Nqw2TBTlg2SErjZQgMYoMbc=,"                            \
    "je1wcMYws+aFiCLfGWKH10w1zHq4gFvQDoztEeSkjFU="
#define OTHER_SCRAM "{SCRAM-SHA-256}9999,c2FsdHNhbHQ=," KEYS

struct fixture {
    struct users users;
    struct user_book book;
};

static void open_book(struct fixture *f, const char *text, uint8_t secret)
{
    struct diags diags;
    diags_init(&diags);
    users_init(&f->users);
    assert_int_equal(users_parse(&f->users, str_from(text), "users", &diags),
                     0);
    diags_release(&diags);
    f->book = (struct user_book){
        .files = &f->users, .file_count = 1, .user_count = f->users.count};
    memset(f->book.secret, secret, sizeof f->book.secret);
}

static void close_book(struct fixture *f)
{
    users_release(&f->users);
}

static struct scram_verifier scram_of(const struct fixture *f, const char *name)
{
    struct scram_verifier verifier;
    user_secrets_scram(&f->book, str_from(name), &verifier);
    return verifier;
}

static bool is_same(const struct scram_verifier *a,
                    const struct scram_verifier *b)
{
    return a->salt_length == b->salt_length && a->iterations == b->iterations &&
           memcmp(a->salt, b->salt, a->salt_length) == 0 &&
           memcmp(a->stored_key, b->stored_key, SCRAM_KEY_OCTETS) == 0 &&
           memcmp(a->server_key, b->server_key, SCRAM_KEY_OCTETS) == 0;
}

static void a_login_s_own_keys_are_found(void **state)
{
    struct fixture f;
    struct scram_verifier want;
    uint8_t contexts[CRAM_CONTEXTS];
    (void)state;
    open_book(&f, "bob:" HASH_SCRAM "\neve:" HASH_CRAM "\n", 1);
    assert_null(scram_verifier_read(STR(HASH_SCRAM), &want));
    struct scram_verifier bob = scram_of(&f, "BOB");
    assert_true(is_same(&bob, &want));
    user_secrets_cram(&f.book, STR("Eve"), contexts);
    assert_true(cram_contexts_fit(contexts, STR("secret")));
    close_book(&f);
}

/* A login with another kind of hash, or none, is as one that is not there. */
static void who_has_no_keys_gets_a_stand_in(void **state)
{
    static const char *const names[] = {"nobody", "eve", "max", "no\x01name",
                                        ""};
    struct fixture f;
    (void)state;
    open_book(&f,
              "bob:" HASH_SCRAM "\neve:" HASH_BCRYPT "\nmax:*\nmd5:" HASH_CRAM
              "\n",
              1);
    struct scram_verifier bob = scram_of(&f, "bob");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct scram_verifier one = scram_of(&f, names[i]);
        struct scram_verifier again = scram_of(&f, names[i]);
        assert_true(is_same(&one, &again));
        assert_int_equal(one.iterations, bob.iterations);
        assert_int_equal(one.salt_length, bob.salt_length);
        assert_memory_not_equal(one.salt, bob.salt, one.salt_length);
        assert_memory_not_equal(one.stored_key, bob.stored_key, 32);
        assert_memory_not_equal(one.stored_key, one.server_key, 32);
        assert_false(scram_verifier_fits(&one, STR("secret")));
        uint8_t contexts[CRAM_CONTEXTS], same[CRAM_CONTEXTS];
        user_secrets_cram(&f.book, str_from(names[i]), contexts);
        user_secrets_cram(&f.book, str_from(names[i]), same);
        assert_memory_equal(contexts, same, sizeof same);
        assert_false(cram_contexts_fit(contexts, STR("secret")));
    }
    close_book(&f);
}

static void other_spellings_have_the_same_stand_in(void **state)
{
    struct fixture f;
    (void)state;
    open_book(&f, "bob:" HASH_SCRAM "\neve:" OTHER_SCRAM "\n", 1);
    struct scram_verifier lower = scram_of(&f, "nobody");
    struct scram_verifier upper = scram_of(&f, "NoBody");
    struct scram_verifier other = scram_of(&f, "nobody2");
    assert_true(is_same(&lower, &upper));
    assert_memory_not_equal(lower.salt, other.salt, 8);
    close_book(&f);
}

static void another_process_has_other_stand_ins(void **state)
{
    struct fixture one, other;
    (void)state;
    open_book(&one, "bob:" HASH_SCRAM "\n", 1);
    open_book(&other, "bob:" HASH_SCRAM "\n", 2);
    struct scram_verifier a = scram_of(&one, "nobody");
    struct scram_verifier b = scram_of(&other, "nobody");
    assert_memory_not_equal(a.salt, b.salt, 16);
    assert_memory_not_equal(a.stored_key, b.stored_key, 32);
    close_book(&one);
    close_book(&other);
}

/* Each form that is there occurs among the stand-ins too. */
static void stand_ins_look_like_some_login(void **state)
{
    struct fixture f;
    size_t like_bob = 0, like_eve = 0;
    (void)state;
    open_book(&f, "bob:" HASH_SCRAM "\neve:" OTHER_SCRAM "\n", 1);
    for (int i = 0; i < 60; i++) {
        char name[32];
        snprintf(name, sizeof name, "nobody%d", i);
        struct scram_verifier one = scram_of(&f, name);
        like_bob += one.iterations == 4096 && one.salt_length == 16;
        like_eve += one.iterations == 9999 && one.salt_length == 8;
    }
    assert_int_equal(like_bob + like_eve, 60);
    assert_true(like_bob > 10 && like_eve > 10);
    close_book(&f);
}

/* Salts longer than one HMAC, and files without any keys. */
static void a_stand_in_has_any_form(void **state)
{
    struct fixture f;
    char text[512], line[600];
    struct scram_verifier wide = {.salt_length = SCRAM_SALT_MAX,
                                  .iterations = 5000};
    (void)state;
    scram_verifier_write(&wide, text);
    snprintf(line, sizeof line, "bob:%s\n", text);
    open_book(&f, line, 1);
    struct scram_verifier one = scram_of(&f, "nobody");
    assert_int_equal(one.salt_length, SCRAM_SALT_MAX);
    assert_memory_not_equal(one.salt, one.salt + 32, 32);
    close_book(&f);
    open_book(&f, "", 1);
    one = scram_of(&f, "nobody");
    assert_int_equal(one.salt_length, 16);
    assert_int_equal(one.iterations, SCRAM_ITERATIONS_MIN);
    close_book(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_s_own_keys_are_found),
        cmocka_unit_test(who_has_no_keys_gets_a_stand_in),
        cmocka_unit_test(other_spellings_have_the_same_stand_in),
        cmocka_unit_test(another_process_has_other_stand_ins),
        cmocka_unit_test(stand_ins_look_like_some_login),
        cmocka_unit_test(a_stand_in_has_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
