/* The whole chain over users files, on a real loop. */
#include "proxy/login/login.h"
#include "tests/unit/proxy/login/known_hashes.h"
#include "tests/support/from_disk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char path[64];
    struct backend_settings backend;
    struct settings settings;
    struct loop *loop;
    struct logins *logins;
    struct login_client *client;
};

static void open_client(struct fixture *fixture)
{
    struct diags diags;
    diags_init(&diags);
    fixture->loop = loop_new();
    fixture->logins = FROM_DISK(logins_new(&fixture->settings, disk, &diags));
    diags_print(&diags, stderr);
    assert_non_null(fixture->logins);
    diags_release(&diags);
    const struct back_end_means means = {.loop = fixture->loop};
    fixture->client = login_client_new(fixture->logins, &means);
    assert_non_null(fixture->client);
}

static void open_logins(struct fixture *fixture, const char *users)
{
    *fixture = (struct fixture){
        .path = "/tmp/login_test_XXXXXX",
        .backend = {.kind = BACKEND_USERS, .users = fixture->path},
        .settings.auth = {.backends = &fixture->backend, .backend_count = 1}};
    int fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    dprintf(fd, "%s", users);
    close(fd);
    open_client(fixture);
    unlink(fixture->path);
}

static void close_logins(struct fixture *fixture)
{
    login_client_free(fixture->client);
    logins_free(fixture->logins);
    loop_free(fixture->loop);
}

struct heard {
    struct loop *loop;
    size_t answers;
    enum login_result result;
    char user[64];
    size_t address_count, group_count;
};

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct heard *heard = owner;
    heard->answers++;
    loop_stop(heard->loop);
    heard->result = answer->result;
    heard->address_count = answer->address_count;
    heard->group_count = answer->group_count;
    snprintf(heard->user, sizeof heard->user, "%.*s", (int)answer->user.n,
             answer->user.n == 0 ? "" : answer->user.p);
}

static struct heard ask_claim(struct fixture *fixture,
                              const struct claim *claim)
{
    struct heard heard = {.loop = fixture->loop};
    assert_non_null(login_ask(fixture->client, claim, on_answer, &heard));
    assert_int_equal(heard.answers, 0);
    loop_run(fixture->loop);
    assert_int_equal(heard.answers, 1);
    return heard;
}

static struct claim password(struct str name, struct str secret)
{
    return (struct claim){.kind = CLAIM_PASSWORD,
                          .mechanism = "PLAIN",
                          .name = name,
                          .authzid = STR(""),
                          .secret = secret,
                          .session = STR("7QK3M9T2XA"),
                          .net = STR("192.0.2.1/32")};
}

static struct heard ask(struct fixture *fixture, struct str name,
                        struct str secret)
{
    const struct claim claim = password(name, secret);
    return ask_claim(fixture, &claim);
}

static const char users[] =
    "bob:" HASH_BCRYPT ":addresses=bob@example.com,b@example.com groups=a\n"
    "eve@example.com:" HASH_YESCRYPT "\n"
    "old:{SHA512-CRYPT}" HASH_SHA512 "::::::\n";

static void right_passwords_are_answered_with_what_is_known(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, users);
    struct heard heard = ask(&fixture, STR("BOB"), STR("secret"));
    assert_int_equal(heard.result, LOGIN_OK);
    assert_string_equal(heard.user, "bob");
    assert_int_equal(heard.address_count, 2);
    assert_int_equal(heard.group_count, 1);
    heard = ask(&fixture, STR("eve@example.com"), STR("secret"));
    assert_int_equal(heard.result, LOGIN_OK);
    assert_int_equal(heard.address_count, 1);
    heard = ask(&fixture, STR("old"), STR("secret"));
    assert_int_equal(heard.result, LOGIN_OK);
    close_logins(&fixture);
}

static void all_else_fails_alike(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, users);
    assert_int_equal(ask(&fixture, STR("bob"), STR("Secret")).result,
                     LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR("bob"), STR("")).result, LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret\0x")).result,
                     LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR("bob\0"), STR("secret")).result,
                     LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR(""), STR("secret")).result,
                     LOGIN_FAILED);
    close_logins(&fixture);
}

/* Every user has this password: the hash that is borrowed for a name that
 * nobody has must not let it in. */
static void nobody_gets_in_with_a_borrowed_hash(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, users);
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "nobody%d", i);
        assert_int_equal(ask(&fixture, str_from(name), STR("secret")).result,
                         LOGIN_FAILED);
    }
    close_logins(&fixture);
}

static void all_kinds_of_hashes_serve(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, "a:" HASH_ARGON2ID "\nb:" HASH_SCRAM "\nc:" HASH_CRAM
                          "\nd:" HASH_SCRAM_RFC "\n");
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            ask(&fixture, str_from(names[i]), STR("secret")).result, LOGIN_OK);
        assert_int_equal(
            ask(&fixture, str_from(names[i]), STR("Secret")).result,
            LOGIN_FAILED);
    }
    close_logins(&fixture);
}

/* Neither what stands for it, nor another's that is hashed in its place. */
static void a_login_without_a_password_has_none(void **state)
{
    (void)state;
    static const char *const files[] = {"bob:*\n",
                                        "bob:*\neve:" HASH_BCRYPT "\n"};
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        open_logins(&fixture, files[i]);
        assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result,
                         LOGIN_FAILED);
        assert_int_equal(ask(&fixture, STR("bob"), STR("*")).result,
                         LOGIN_FAILED);
        assert_int_equal(ask(&fixture, STR("bob"), STR("")).result,
                         LOGIN_FAILED);
        struct claim proven = password(STR("bob"), STR(""));
        proven.kind = CLAIM_PROVEN;
        assert_int_equal(ask_claim(&fixture, &proven).result, LOGIN_OK);
        close_logins(&fixture);
    }
}

static void a_login_acts_as_whom_its_line_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *authzid;
        enum login_result want;
    } cases[] = {
        {"bob", "Alice", LOGIN_OK},   {"bob", "bob", LOGIN_OK},
        {"bob", "eve", LOGIN_FAILED}, {"bob", "*", LOGIN_FAILED},
        {"root", "eve", LOGIN_OK},    {"eve", "bob", LOGIN_FAILED},
    };
    struct fixture fixture;
    open_logins(&fixture, "bob:" HASH_BCRYPT ":may_act_as=alice,max\n"
                          "root:" HASH_BCRYPT ":may_act_as=*\n"
                          "eve:" HASH_BCRYPT "\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct claim claim = password(str_from(cases[i].name), STR("secret"));
        claim.authzid = str_from(cases[i].authzid);
        struct heard heard = ask_claim(&fixture, &claim);
        assert_int_equal(heard.result, cases[i].want);
        if (cases[i].want == LOGIN_OK && i == 0)
            assert_string_equal(heard.user, "alice");
    }
    close_logins(&fixture);
}

/* Another file in the place of the first, and a word to read it. */
static int rewrite(const struct fixture *fixture, const char *text)
{
    char fresh[80];
    struct diags diags;
    diags_init(&diags);
    snprintf(fresh, sizeof fresh, "%s.new", fixture->path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    dprintf(fd, "%s", text);
    close(fd);
    assert_int_equal(rename(fresh, fixture->path), 0);
    struct logins_renewal *renewal =
        FROM_DISK(logins_prepare(&fixture->settings, disk, &diags));
    assert_int_equal(diags.errors > 0, renewal == NULL);
    if (renewal != NULL)
        logins_renew(fixture->logins, renewal, NULL);
    diags_release(&diags);
    return renewal == NULL ? -1 : 0;
}

static void what_was_kept_of_logins_ends_with_the_users_file(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum login_result want;
        size_t want_groups;
    } steps[] = {
        {"bob:" HASH_BCRYPT ":groups=a,b\n", LOGIN_OK, 2},
        {"bob:" HASH_BCRYPT ":groups=a\n", LOGIN_OK, 1},
        {"eve:" HASH_BCRYPT "\n", LOGIN_FAILED, 0},
        {"bob:" HASH_BCRYPT_OTHER "\n", LOGIN_FAILED, 0},
        {"bob:" HASH_BCRYPT "\n", LOGIN_OK, 0},
        {"# nobody any more\n", LOGIN_FAILED, 0},
    };
    struct fixture fixture;
    open_logins(&fixture, "bob:" HASH_BCRYPT "\n");
    fixture.settings.auth.cache = 60 * 60 * 1000;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        ask(&fixture, STR("bob"), STR("secret"));
        assert_int_equal(rewrite(&fixture, steps[i].text), 0);
        struct heard heard = ask(&fixture, STR("bob"), STR("secret"));
        assert_int_equal(heard.result, steps[i].want);
        assert_int_equal(heard.group_count, steps[i].want_groups);
    }
    unlink(fixture.path);
    close_logins(&fixture);
}

static void a_broken_users_file_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, "bob:" HASH_BCRYPT "\n");
    assert_int_equal(rewrite(&fixture, "eve:" HASH_BCRYPT "\nbob:oops\n"), -1);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result, LOGIN_OK);
    assert_int_equal(ask(&fixture, STR("eve"), STR("secret")).result,
                     LOGIN_FAILED);
    unlink(fixture.path);
    close_logins(&fixture);
}

/* There was nobody to hash for when it started. */
static void a_users_file_may_begin_empty(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, "# nobody yet\n");
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result,
                     LOGIN_FAILED);
    assert_int_equal(rewrite(&fixture, "bob:" HASH_BCRYPT "\n"), 0);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result, LOGIN_OK);
    unlink(fixture.path);
    close_logins(&fixture);
}

struct interruption {
    struct loop_later later;
    const struct fixture *fixture;
    const char *text;
};

static void interrupt(struct loop_later *later)
{
    const struct interruption *one = (struct interruption *)later;
    assert_int_equal(rewrite(one->fixture, one->text), 0);
}

/* The password goes to its thread, and the file changes before the answer. */
static void an_answer_is_about_the_newest_users_file(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
        enum login_result want;
    } cases[] = {
        {"bob:" HASH_BCRYPT "\n", "eve:" HASH_BCRYPT "\n", LOGIN_FAILED},
        {"bob:" HASH_BCRYPT "\n", "bob:" HASH_BCRYPT_OTHER "\n", LOGIN_FAILED},
        {"bob:" HASH_BCRYPT "\n", "# nobody\n", LOGIN_FAILED},
        {"bob:" HASH_BCRYPT_OTHER "\n", "bob:" HASH_BCRYPT "\n", LOGIN_OK},
        {"eve:" HASH_BCRYPT "\n", "bob:" HASH_BCRYPT "\n", LOGIN_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct claim claim = password(STR("bob"), STR("secret"));
        struct fixture fixture;
        open_logins(&fixture, cases[i].before);
        fixture.settings.auth.cache = 60 * 60 * 1000;
        struct interruption one = {
            .later.run = interrupt, .fixture = &fixture, cases[i].after};
        struct heard heard = {.loop = fixture.loop};
        assert_non_null(login_ask(fixture.client, &claim, on_answer, &heard));
        loop_later(fixture.loop, &one.later);
        loop_run(fixture.loop);
        assert_int_equal(heard.answers, 1);
        assert_int_equal(heard.result, cases[i].want);
        /* Nor is what came too late kept. */
        assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result,
                         cases[i].want);
        unlink(fixture.path);
        close_logins(&fixture);
    }
}

static void without_backends_everything_fails(void **state)
{
    (void)state;
    struct fixture fixture = {.settings.auth.backend_count = 0};
    open_client(&fixture);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result,
                     LOGIN_FAILED);
    close_logins(&fixture);
}

static void a_cancelled_question_is_never_answered(void **state)
{
    (void)state;
    struct fixture fixture;
    struct login_query *queries[20];
    const struct claim claim = password(STR("bob"), STR("secret"));
    open_logins(&fixture, users);
    struct heard heard = {.loop = fixture.loop};
    struct heard last = {.loop = fixture.loop};
    for (size_t i = 0; i < 20; i++)
        queries[i] = login_ask(fixture.client, &claim, on_answer, &heard);
    login_ask(fixture.client, &claim, on_answer, &last);
    for (size_t i = 20; i-- > 0;)
        login_cancel(queries[i]);
    loop_run(fixture.loop);
    assert_int_equal(heard.answers, 0);
    assert_int_equal(last.result, LOGIN_OK);
    close_logins(&fixture);
}

static void a_client_may_go_with_questions_under_way(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct claim claim = password(STR("bob"), STR("secret"));
    open_logins(&fixture, users);
    const struct back_end_means means = {.loop = fixture.loop};
    struct heard heard = {.loop = fixture.loop};
    struct login_client *other = login_client_new(fixture.logins, &means);
    for (size_t i = 0; i < 10; i++)
        login_ask(other, &claim, on_answer, &heard);
    /* Now most of them are with the threads. */
    while (heard.answers == 0)
        loop_run(fixture.loop);
    size_t before = heard.answers;
    login_client_free(other);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result, LOGIN_OK);
    assert_int_equal(heard.answers, before);
    close_logins(&fixture);
}

static void a_wrong_users_file_gives_no_logins(void **state)
{
    (void)state;
    struct diags diags;
    struct backend_settings backend = {.kind = BACKEND_USERS,
                                       .users = "/nonexistent"};
    struct settings settings = {
        .auth = {.backends = &backend, .backend_count = 1}};
    diags_init(&diags);
    assert_null(FROM_DISK(logins_new(&settings, disk, &diags)));
    assert_int_equal(diags.errors, 1);
    diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_passwords_are_answered_with_what_is_known),
        cmocka_unit_test(all_else_fails_alike),
        cmocka_unit_test(nobody_gets_in_with_a_borrowed_hash),
        cmocka_unit_test(all_kinds_of_hashes_serve),
        cmocka_unit_test(a_login_without_a_password_has_none),
        cmocka_unit_test(a_login_acts_as_whom_its_line_names),
        cmocka_unit_test(what_was_kept_of_logins_ends_with_the_users_file),
        cmocka_unit_test(a_broken_users_file_changes_nothing),
        cmocka_unit_test(a_users_file_may_begin_empty),
        cmocka_unit_test(an_answer_is_about_the_newest_users_file),
        cmocka_unit_test(without_backends_everything_fails),
        cmocka_unit_test(a_cancelled_question_is_never_answered),
        cmocka_unit_test(a_client_may_go_with_questions_under_way),
        cmocka_unit_test(a_wrong_users_file_gives_no_logins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
