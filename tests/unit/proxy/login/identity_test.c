#include "proxy/login/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/proxy/login/known_hashes.h"
#include "tests/support/from_disk.h"

static const char users[] =
    "bob:" HASH_BCRYPT ":addresses=bob@example.com groups=staff "
    "may_act_as=shop,ceo@example.com\n"
    "shop:*:addresses=shop@example.com groups=machines\n"
    "root:" HASH_BCRYPT ":may_act_as=*\n";

static int read_users(void **state)
{
    static struct user_book book;
    static char path[] = "/tmp/identity_test_XXXXXX";
    const struct backend_settings backend = {.kind = BACKEND_USERS,
                                             .users = path};
    const struct auth_settings auth = {.backends = &backend,
                                       .backend_count = 1};
    struct diags diags;
    int fd = mkstemp(path);
    dprintf(fd, "%s", users);
    close(fd);
    diags_init(&diags);
    int result = FROM_DISK(user_book_read(&book, &auth, disk, &diags));
    diags_release(&diags);
    unlink(path);
    *state = &book;
    return result;
}

static int release_users(void **state)
{
    user_book_release(*state);
    return 0;
}

struct row {
    const char *what;
    enum claim_kind kind;
    struct str name, authzid; /* of the claim */
    struct login_answer given;
    struct str want_user; /* n 0: it fails */
    struct str want_address, want_group;
};

static const struct str told_addresses[] = {STR("b@elsewhere.example")};
static const struct str told_names[] = {STR("shop")};

#define GIVEN(name)                                                            \
    {                                                                          \
        .result = LOGIN_OK, .user = STR(name)                                  \
    }

static const struct row rows[] = {
    {"a line tells what the back-end does not", CLAIM_PASSWORD, STR("bob"),
     STR(""), GIVEN("bob"), STR("bob"), STR("bob@example.com"), STR("staff")},
    {"what the back-end tells stays",
     CLAIM_PASSWORD,
     STR("bob"),
     STR(""),
     {.result = LOGIN_OK,
      .user = STR("bob"),
      .addresses = told_addresses,
      .address_count = 1,
      .has_addresses = true},
     STR("bob"),
     STR("b@elsewhere.example"),
     STR("staff")},
    {"a back-end may say that there are none",
     CLAIM_PASSWORD,
     STR("bob"),
     STR(""),
     {.result = LOGIN_OK, .user = STR("bob"), .has_addresses = true},
     STR("bob"),
     STR(""),
     STR("staff")},
    {"a name that is an address owns itself", CLAIM_PROVEN,
     STR("till@Example.com"), STR(""), GIVEN("till@example.com"),
     STR("till@example.com"), STR("till@example.com"), STR("")},
    {"a name that is none owns nothing", CLAIM_PROVEN, STR("till"), STR(""),
     GIVEN("till"), STR("till"), STR(""), STR("")},
    {"nor does one that would be read as a pattern", CLAIM_TOKEN, STR(""),
     STR(""), GIVEN("*@example.com"), STR("*@example.com"), STR(""), STR("")},
    {"nor whoever acts as such a one", CLAIM_PASSWORD, STR("root"),
     STR("*@example.com"), GIVEN("root"), STR("*@example.com"), STR(""),
     STR("")},
    {"a name that can't be one is nobody", CLAIM_PROVEN, STR("x"), STR(""),
     GIVEN(""), STR(""), STR(""), STR("")},
    {"to act as oneself is fine, in any case", CLAIM_PASSWORD, STR("bob"),
     STR("BOB"), GIVEN("bob"), STR("bob"), STR("bob@example.com"),
     STR("staff")},
    {"whom the line allows", CLAIM_PASSWORD, STR("bob"), STR("Shop"),
     GIVEN("bob"), STR("shop"), STR("shop@example.com"), STR("machines")},
    {"one who has no line", CLAIM_PASSWORD, STR("bob"), STR("ceo@example.com"),
     GIVEN("bob"), STR("ceo@example.com"), STR("ceo@example.com"), STR("")},
    {"not whom it does not", CLAIM_PASSWORD, STR("bob"), STR("root"),
     GIVEN("bob"), STR(""), STR(""), STR("")},
    {"nor the other way round", CLAIM_PROVEN, STR("shop"), STR("bob"),
     GIVEN("shop"), STR(""), STR(""), STR("")},
    {"a star is for anybody", CLAIM_PASSWORD, STR("root"), STR("nobody"),
     GIVEN("root"), STR("nobody"), STR(""), STR("")},
    {"but for what is no name", CLAIM_PASSWORD, STR("root"), STR("a\x07"),
     GIVEN("root"), STR(""), STR(""), STR("")},
    {"a token names its user", CLAIM_TOKEN, STR(""), STR(""), GIVEN("bob"),
     STR("bob"), STR("bob@example.com"), STR("staff")},
    {"the name beside a token is whom it acts as", CLAIM_TOKEN, STR("shop"),
     STR(""), GIVEN("bob"), STR("shop"), STR("shop@example.com"),
     STR("machines")},
    {"and must be allowed", CLAIM_TOKEN, STR("eve"), STR(""), GIVEN("bob"),
     STR(""), STR(""), STR("")},
    {"as the back-end may do",
     CLAIM_TOKEN,
     STR("shop"),
     STR(""),
     {.result = LOGIN_OK,
      .user = STR("eve"),
      .may_act_as = told_names,
      .may_act_as_count = 1},
     STR("shop"),
     STR("shop@example.com"),
     STR("machines")},
};

static bool is_list_of(const struct str *items, size_t count, struct str want)
{
    return want.n == 0 ? count == 0 : count == 1 && str_equals(items[0], want);
}

static void a_login_makes_somebody(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const struct claim claim = {
            .kind = row->kind, .name = row->name, .authzid = row->authzid};
        struct login_answer out;
        struct arena arena;
        arena_init(&arena, (size_t)64 * 1024);
        identity_settle(*state, &claim, &row->given, &arena, &out);
        bool is_right =
            row->want_user.n == 0
                ? out.result == LOGIN_FAILED
                : out.result == LOGIN_OK &&
                      str_equals(out.user, row->want_user) &&
                      is_list_of(out.addresses, out.address_count,
                                 row->want_address) &&
                      is_list_of(out.groups, out.group_count, row->want_group);
        if (!is_right)
            fail_msg("%s", row->what);
        arena_release(&arena);
    }
}

static void without_memory_nobody_is_made(void **state)
{
    const struct claim claim = {
        .kind = CLAIM_PROVEN, .name = STR("a@b.c"), .authzid = STR("")};
    const struct login_answer given = GIVEN("a@b.c");
    struct login_answer out;
    struct arena arena;
    arena_init(&arena, 1);
    identity_settle(*state, &claim, &given, &arena, &out);
    assert_int_equal(out.result, LOGIN_UNAVAILABLE);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_makes_somebody),
        cmocka_unit_test(without_memory_nobody_is_made),
    };
    return cmocka_run_group_tests(tests, read_users, release_users);
}
