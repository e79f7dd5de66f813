/* Passwords and tokens in files, and what a renewal does to them. */
#include "proxy/upstream/credential_book.h"

#include "tests/support/from_disk.h"
#include "tests/unit/config/folder.h"

static void write_secret(const char *text)
{
    write_file("secret", text);
    chmod("secret", 0600);
}

static struct credential_book *
open_book(const struct upstream_settings *settings)
{
    struct diags diags;
    diags_init(&diags);
    struct credential_book *book =
        FROM_DISK(credential_book_new(settings, disk, &diags));
    assert_int_equal(book == NULL, diags.errors > 0);
    diags_release(&diags);
    return book;
}

static void assert_kept(struct kept_credentials *kept, const char *user,
                        const char *secret)
{
    assert_true(str_equals(kept->credentials.user, str_from(user)));
    assert_true(str_equals(kept->credentials.secret, str_from(secret)));
    credentials_release(kept);
}

static void a_password_is_renewed(void **state)
{
    char name[] = "postern";
    struct upstream_settings settings = {.login = {.kind = LOGIN_PASSWORD,
                                                   .user = str_from(name),
                                                   .password_file = "secret"}};
    struct kept_credentials kept, before;
    (void)state;
    write_secret("one\nmore\n");
    struct credential_book *book = open_book(&settings);
    uint64_t edition = credential_book_edition(book);
    assert_int_equal(credential_book_own(book, &before), 0);
    credential_book_renew(book, open_book(&settings));
    assert_int_equal(credential_book_edition(book), edition);
    write_secret("two\n");
    struct credential_book *fresh = open_book(&settings);
    /* The settings may go with what was loaded beside them. */
    memset(name, 'x', sizeof name - 1);
    credential_book_renew(book, fresh);
    assert_int_equal(credential_book_edition(book), edition + 1);
    assert_int_equal(credential_book_own(book, &kept), 0);
    assert_kept(&kept, "postern", "two");
    assert_kept(&before, "postern", "one");
    write_secret("\n");
    assert_null(open_book(&settings));
    credential_book_free(book);
}

static void lines_are_found_by_the_value_of_a_fact(void **state)
{
    struct upstream_settings settings = {
        .login = {.kind = LOGIN_BY_FACT, .credentials_file = "secret"}};
    struct kept_credentials kept;
    (void)state;
    write_secret("bob relaybob bobs secret\n");
    struct credential_book *book = open_book(&settings);
    assert_int_equal(credential_book_find(book, STR("BOB"), &kept), 0);
    assert_kept(&kept, "relaybob", "bobs secret");
    assert_int_equal(credential_book_find(book, STR("eve"), &kept), 0);
    assert_null(kept.octets);
    assert_int_equal(credential_book_own(book, &kept), 0);
    assert_null(kept.octets);
    write_secret("# no bob\neve relayeve eves\n");
    credential_book_renew(book, open_book(&settings));
    assert_int_equal(credential_book_find(book, STR("bob"), &kept), 0);
    assert_null(kept.octets);
    assert_int_equal(credential_book_find(book, STR("eve"), &kept), 0);
    assert_kept(&kept, "relayeve", "eves");
    credential_book_free(book);
}

static void a_token_may_come_later(void **state)
{
    struct upstream_settings settings = {
        .login = {.kind = LOGIN_TOKEN, .token_file = "secret"}};
    static char token[CREDENTIALS_TOKEN_MAX];
    size_t length;
    (void)state;
    struct credential_book *book = open_book(&settings);
    assert_string_equal(credential_book_token(book, token, &length),
                        "No such file or directory");
    assert_int_equal(length, 0);
    write_secret("abc\n");
    credential_book_renew(book, open_book(&settings));
    assert_null(credential_book_token(book, token, &length));
    assert_true(str_equals(str_span(token, length), STR("abc\n")));
    chmod("secret", 0644);
    credential_book_renew(book, open_book(&settings));
    assert_non_null(
        strstr(credential_book_token(book, token, &length), "chmod o="));
    credential_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_password_is_renewed, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_are_found_by_the_value_of_a_fact,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_may_come_later, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
