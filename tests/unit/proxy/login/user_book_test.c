#include "proxy/login/user_book.h"
#include "tests/unit/proxy/login/known_hashes.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES_MAX 2

static void read_book(struct user_book *book, const char *const *files,
                      size_t count)
{
    char paths[FILES_MAX][64];
    struct backend_settings backends[FILES_MAX];
    const struct auth_settings auth = {.backends = backends,
                                       .backend_count = count};
    struct diags diags;
    diags_init(&diags);
    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof paths[i], "/tmp/user_book_test_XXXXXX");
        int fd = mkstemp(paths[i]);
        assert_true(fd >= 0);
        dprintf(fd, "%s", files[i]);
        close(fd);
        backends[i] =
            (struct backend_settings){.kind = BACKEND_USERS, .users = paths[i]};
    }
    *book = (struct user_book){0};
    assert_int_equal(FROM_DISK(user_book_read(book, &auth, disk, &diags)), 0);
    diags_release(&diags);
    for (size_t i = 0; i < count; i++)
        unlink(paths[i]);
}

static void the_first_file_that_has_a_name_counts(void **state)
{
    (void)state;
    static const char *const files[] = {
        "bob:" HASH_BCRYPT ":groups=first\n",
        "bob:" HASH_BCRYPT ":groups=second\neve:" HASH_BCRYPT "\n"};
    struct user_book book;
    read_book(&book, files, 2);
    const struct user *bob = user_book_find_name(&book, STR("BOB"));
    assert_non_null(bob);
    assert_true(str_equals(bob->groups[0], STR("first")));
    assert_non_null(user_book_find_name(&book, STR("eve")));
    assert_null(user_book_find_name(&book, STR("nobody")));
    assert_null(user_book_find_name(&book, STR("bob\0")));
    user_book_release(&book);
}

/* Asking twice tells nothing, and not all names have the same cost. */
static void wire_A10_an_unknown_name_borrows_always_the_same(void **state)
{
    (void)state;
    static const char *const files[] = {"bob:" HASH_BCRYPT "\n",
                                        "eve:" HASH_YESCRYPT "\n"};
    struct user_book book;
    size_t kinds = 0;
    const struct user *first = NULL;
    read_book(&book, files, 2);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "nobody%d", i);
        const struct user *one = user_book_stand_in(&book, str_from(name));
        assert_non_null(one);
        assert_ptr_equal(one, user_book_stand_in(&book, str_from(name)));
        first = first == NULL ? one : first;
        kinds += one != first;
    }
    assert_true(kinds > 0);
    user_book_release(&book);
}

/* Else the costs of two spellings would tell that nobody has the name. */
static void wire_A10_other_spellings_borrow_the_same_hash(void **state)
{
    (void)state;
    static const char *const files[] = {
        "bob:" HASH_BCRYPT "\neve:" HASH_YESCRYPT "\nmax:" HASH_SHA512 "\n"};
    struct user_book book;
    read_book(&book, files, 1);
    for (int i = 0; i < 40; i++) {
        char lower[32], upper[32];
        snprintf(lower, sizeof lower, "nobody%d", i);
        snprintf(upper, sizeof upper, "NoBody%d", i);
        assert_ptr_equal(user_book_stand_in(&book, str_from(lower)),
                         user_book_stand_in(&book, str_from(upper)));
    }
    user_book_release(&book);
}

/* Hashing nothing would take no time. */
static void nobody_borrows_from_a_login_without_a_password(void **state)
{
    (void)state;
    static const char *const files[] = {"a:*\nb:!\nbob:" HASH_BCRYPT "\nz:*\n",
                                        "c:*\neve:" HASH_SCRAM "\n"};
    struct user_book book;
    bool has_scram = false, has_bcrypt = false;
    read_book(&book, files, 2);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "nobody%d", i);
        const struct user *one = user_book_stand_in(&book, str_from(name));
        assert_int_not_equal(one->password.kind, PASSWORD_NONE);
        has_scram |= one->password.kind == PASSWORD_SCRAM;
        has_bcrypt |= one->password.kind == PASSWORD_CRYPT;
        one = user_book_choose(&book, PASSWORD_SCRAM, str_from(name));
        assert_int_equal(one->password.kind, PASSWORD_SCRAM);
    }
    assert_true(has_scram && has_bcrypt);
    assert_null(user_book_choose(&book, PASSWORD_CRAM_MD5, STR("x")));
    user_book_release(&book);
}

/* SCRAM is for all or for none, and whoever lists it is told who is left. */
static void the_first_login_without_keys_is_told_of(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned mechanisms;
        bool want_all;
        size_t want_line; /* of the warning; 0: none */
    } cases[] = {
        {"bob:" HASH_SCRAM "\ntill:*\n", 1U << SASL_SCRAM_SHA_256, true, 0},
        {"bob:" HASH_SCRAM "\neve:" HASH_BCRYPT "\n", 1U << SASL_SCRAM_SHA_256,
         false, 2},
        {"eve:" HASH_BCRYPT "\nbob:" HASH_SCRAM "\n",
         1U << SASL_SCRAM_SHA_256_PLUS, false, 1},
        {"eve:" HASH_BCRYPT "\n", 1U << SASL_PLAIN, false, 0},
        {"# nobody yet\n", 1U << SASL_SCRAM_SHA_256, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/user_book_test_XXXXXX";
        const struct backend_settings backend = {.kind = BACKEND_USERS,
                                                 .users = path};
        const struct auth_settings auth = {.backends = &backend,
                                           .backend_count = 1,
                                           .mechanisms = cases[i].mechanisms};
        struct user_book book = {0};
        struct diags diags;
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        dprintf(fd, "%s", cases[i].text);
        close(fd);
        diags_init(&diags);
        assert_int_equal(FROM_DISK(user_book_read(&book, &auth, disk, &diags)),
                         0);
        assert_int_equal(book.holds_scram, cases[i].want_all);
        assert_int_equal(diags.count, cases[i].want_line > 0 ? 1 : 0);
        if (cases[i].want_line > 0)
            assert_int_equal(diags.items[0].mark.line, cases[i].want_line);
        diags_release(&diags);
        user_book_release(&book);
        unlink(path);
    }
}

static void an_empty_book_has_no_stand_in(void **state)
{
    (void)state;
    static const char *const files[] = {"# nobody yet\n"};
    struct user_book book;
    read_book(&book, files, 1);
    assert_null(user_book_stand_in(&book, STR("bob")));
    user_book_release(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_file_that_has_a_name_counts),
        cmocka_unit_test(wire_A10_an_unknown_name_borrows_always_the_same),
        cmocka_unit_test(wire_A10_other_spellings_borrow_the_same_hash),
        cmocka_unit_test(nobody_borrows_from_a_login_without_a_password),
        cmocka_unit_test(the_first_login_without_keys_is_told_of),
        cmocka_unit_test(an_empty_book_has_no_stand_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
