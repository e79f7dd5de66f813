#include "proxy/login/users_file.h"
#include "tests/unit/proxy/login/known_hashes.h"
#include "tests/support/from_disk.h"

#include <sys/stat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct outcome {
    struct users users;
    struct diags diags;
    int result;
};

static void parse(struct outcome *outcome, const char *text)
{
    users_init(&outcome->users);
    diags_init(&outcome->diags);
    outcome->result =
        users_parse(&outcome->users, str_from(text), "users", &outcome->diags);
}

static void release(struct outcome *outcome)
{
    users_release(&outcome->users);
    diags_release(&outcome->diags);
}

static const struct user *find(const struct outcome *outcome, const char *name)
{
    return users_find(&outcome->users, str_from(name));
}

static void assert_list(const struct str *items, size_t count, const char *want)
{
    char text[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%.*s",
                             i == 0 ? "" : ",", (int)items[i].n, items[i].p);
    assert_string_equal(text, want);
}

struct good_case {
    const char *title, *line;
    const char *want_name, *want_addresses, *want_groups;
};

static const struct good_case good[] = {
    {"both lists",
     "bob:" HASH_BCRYPT
     ":addresses=Bob@Example.com,*@Sales.example.com groups=staff,it",
     "bob", "bob@example.com,*@sales.example.com", "staff,it"},
    {"SCRAM with colons", "bob:" HASH_SCRAM_RFC ":groups=a", "bob", "", "a"},
    {"SCRAM with colons, Dovecot's",
     "bob@example.com:" HASH_SCRAM_RFC ":1000:1000::/home/bob::",
     "bob@example.com", "bob@example.com", ""},
    {"SCRAM with commas", "bob:" HASH_SCRAM ":groups=a", "bob", "", "a"},
    {"Argon2", "bob:{ARGON2ID}" HASH_ARGON2ID ":groups=a", "bob", "", "a"},
    {"no password", "bob:!:groups=a", "bob", "", "a"},
    {"groups alone", "bob:" HASH_BCRYPT ":groups=staff", "bob", "", "staff"},
    {"a login that is an address", "Bob@Example.com:" HASH_BCRYPT ":groups=x",
     "bob@example.com", "bob@example.com", "x"},
    {"no addresses, said so",
     "bob@example.com:" HASH_BCRYPT ":addresses=", "bob@example.com", "", ""},
    {"a login that would be read as a pattern of addresses",
     "*@example.com:" HASH_BCRYPT ":groups=x", "*@example.com", "", "x"},
    {"as passwd prints it", "bob:" HASH_YESCRYPT ":addresses=", "bob", "", ""},
    {"everybody's", "app:" HASH_BCRYPT ":addresses=*", "app", "*", ""},
    {"spaces and commas too many",
     "bob:" HASH_BCRYPT ":  addresses=,a@b.example,,  groups=", "bob",
     "a@b.example", ""},
    {"two fields", "bob:" HASH_BCRYPT, "bob", "", ""},
    {"Dovecot's",
     "bob:{BLF-CRYPT}" HASH_BCRYPT ":1000:1000::/home/bob::", "bob", "", ""},
    {"Dovecot's with an address",
     "bob@example.com:" HASH_SHA512 "::::::userdb_quota_rule=x",
     "bob@example.com", "bob@example.com", ""},
    {"a carriage return", "bob:" HASH_BCRYPT ":groups=a\r", "bob", "", "a"},
};

static void lines_of_both_forms_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct outcome outcome;
        print_message("  %s\n", good[i].title);
        parse(&outcome, good[i].line);
        assert_int_equal(outcome.result, 0);
        assert_int_equal(outcome.diags.count, 0);
        const struct user *user = find(&outcome, good[i].want_name);
        assert_non_null(user);
        assert_list(user->addresses, user->address_count,
                    good[i].want_addresses);
        assert_list(user->groups, user->group_count, good[i].want_groups);
        release(&outcome);
    }
}

static void whom_a_login_may_act_as_is_read(void **state)
{
    static const struct {
        const char *line, *want;
    } lines[] = {
        {"bob:*:may_act_as=Alice,eve@Example.com groups=x",
         "alice,eve@example.com"},
        {"bob:" HASH_SCRAM_RFC ":groups= may_act_as=*", "*"},
        {"bob:" HASH_BCRYPT ":may_act_as=", ""},
        {"bob:" HASH_BCRYPT ":groups=alice", ""},
        {"bob:" HASH_BCRYPT "::::::may_act_as=alice", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct outcome outcome;
        print_message("  %s\n", lines[i].line);
        parse(&outcome, lines[i].line);
        assert_int_equal(outcome.result, 0);
        const struct user *user = find(&outcome, "bob");
        assert_list(user->may_act_as, user->may_act_as_count, lines[i].want);
        release(&outcome);
    }
}

struct bad_case {
    const char *line;
    size_t want_column;
    const char *want_text; /* a piece of it */
};

static const struct bad_case bad[] = {
    {"bob", 1, "no line of login:hash"},
    {":" HASH_BCRYPT, 1, "login is missing"},
    {"b\x01:" HASH_BCRYPT, 1, "not fit to be one"},
    {"bob:secret:groups=a", 5, "not hashed"},
    {"bob:{ARGON2ID}$argon2id$v=19$m=8,t=11,p=1$c2FsdHNhbHQ$vk+JgWgZGbXHtEqPQPh"
     "zXbD+QxxkJR5Fq2AXLhDyYaY",
     5, "t at most 10"},
    {"bob:{SCRAM-SHA-256}4095,x", 5, "damaged"},
    {"bob:" HASH_BCRYPT ":may_act_as=a may_act_as=b", 79, "stands twice"},
    {"bob:" HASH_BCRYPT ":may_act_as=a,b\x01", 79, "not fit to be one"},
    {"bob::groups=a", 5, "missing"},
    {"bob:" HASH_BCRYPT ":adresses=a@b.example", 66, "known are addresses="},
    {"bob:" HASH_BCRYPT ":groups=a staff", 75, "\"staff\" is not known"},
    {"bob:" HASH_BCRYPT ":groups=a groups=b", 75, "stands twice"},
    {"bob:" HASH_BCRYPT ":addresses=bob", 76, "not an address"},
    {"bob:" HASH_BCRYPT ":addresses=a@b.example,a@", 88, "not an address"},
    {"bob:" HASH_BCRYPT ":addresses=*@", 76, "not an address"},
    {"bob:" HASH_BCRYPT ":addresses=*@b\xc3\xbc.example", 76, "write xn--"},
    {"bob:" HASH_BCRYPT "::::::nologin", 71, "nologin can't be honoured"},
    {"bob:" HASH_BCRYPT "::::::x=y allow_nets=10.0.0.0/8", 75,
     "allow_nets can't be honoured"},
};

static void faults_are_told_at_their_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct outcome outcome;
        print_message("  %s\n", bad[i].line);
        parse(&outcome, bad[i].line);
        assert_int_equal(outcome.result, -1);
        assert_int_equal(outcome.diags.errors, 1);
        const struct diag *diag = &outcome.diags.items[0];
        assert_non_null(strstr(diag->text, bad[i].want_text));
        assert_int_equal(diag->mark.line, 1);
        assert_int_equal(diag->mark.column, bad[i].want_column);
        assert_string_equal(diag->mark.file, "users");
        release(&outcome);
    }
}

static void all_faults_of_a_file_are_told(void **state)
{
    (void)state;
    struct outcome outcome;
    parse(&outcome, "# comment\n\nbob:secret\neve:" HASH_BCRYPT "\n  \n"
                    "mallory\nEve:" HASH_BCRYPT "\nmd5:" HASH_MD5 "\n");
    assert_int_equal(outcome.result, -1);
    assert_int_equal(outcome.diags.errors, 3);
    assert_int_equal(outcome.diags.count, 4);
    assert_int_equal(outcome.diags.items[0].mark.line, 3);
    assert_int_equal(outcome.diags.items[1].mark.line, 6);
    assert_int_equal(outcome.diags.items[2].level, DIAG_WARNING);
    assert_int_equal(outcome.diags.items[3].mark.line, 7);
    assert_string_equal(outcome.diags.items[3].text,
                        "the login eve stands on line 4 already");
    release(&outcome);
}

static void a_nul_and_a_long_line_are_refused(void **state)
{
    (void)state;
    static char text[USERS_LINE_MAX + 64];
    struct outcome outcome;
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "bob:" HASH_BCRYPT ":groups=",
           strlen("bob:" HASH_BCRYPT ":groups="));
    parse(&outcome, text);
    assert_int_equal(outcome.diags.errors, 1);
    assert_non_null(strstr(outcome.diags.items[0].text, "octets"));
    release(&outcome);

    users_init(&outcome.users);
    diags_init(&outcome.diags);
    assert_int_equal(
        users_parse(&outcome.users, STR("bob\0:x"), "users", &outcome.diags),
        -1);
    release(&outcome);
}

static void every_login_of_a_large_file_is_found(void **state)
{
    (void)state;
    char *text = malloc(2000 * 128);
    size_t length = 0;
    struct outcome outcome;
    assert_non_null(text);
    for (int i = 0; i < 2000; i++)
        length += (size_t)snprintf(text + length, 128, "u%d:" HASH_BCRYPT "\n",
                                   i * 7919 % 2000);
    parse(&outcome, text);
    free(text);
    assert_int_equal(outcome.result, 0);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%d", i);
        assert_non_null(find(&outcome, name));
    }
    assert_null(find(&outcome, "u2000"));
    assert_null(find(&outcome, ""));
    release(&outcome);
}

static void logins_are_listed_by_what_they_hold(void **state)
{
    (void)state;
    struct outcome outcome;
    parse(&outcome, "zoe:" HASH_SCRAM "\nbob:*\nmd5:" HASH_CRAM
                    "\neve:" HASH_SCRAM_RFC "\n");
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.users.with_password.count, 3);
    assert_int_equal(outcome.users.with_scram.count, 2);
    assert_int_equal(outcome.users.with_cram.count, 1);
    assert_true(
        str_equals(outcome.users.with_scram.users[0]->name, STR("eve")));
    release(&outcome);
}

static void a_login_that_stands_twice_is_listed_too(void **state)
{
    (void)state;
    struct outcome outcome;
    parse(&outcome, "bob:*\nBob:" HASH_BCRYPT "\neve:" HASH_SCRAM "\n");
    assert_int_equal(outcome.result, -1);
    assert_int_equal(outcome.users.with_password.count, 2);
    assert_int_equal(outcome.users.with_scram.count, 1);
    release(&outcome);
}

/* A login without a password needs no keys: it has another way in. */
static void who_lacks_keys_is_told(void **state)
{
    static const struct {
        const char *text;
        enum password_kind kind;
        const char *want; /* NULL: nobody */
    } files[] = {
        {"", PASSWORD_SCRAM, NULL},
        {"bob:" HASH_SCRAM "\neve:*\n", PASSWORD_SCRAM, NULL},
        {"zoe:" HASH_BCRYPT "\nbob:" HASH_BCRYPT "\neve:" HASH_SCRAM "\n",
         PASSWORD_SCRAM, "zoe"},
        {"bob:" HASH_CRAM "\n", PASSWORD_SCRAM, "bob"},
        {"bob:" HASH_CRAM "\n", PASSWORD_CRAM_MD5, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct outcome outcome;
        parse(&outcome, files[i].text);
        const struct user *user = users_lack(&outcome.users, files[i].kind);
        assert_int_equal(user != NULL, files[i].want != NULL);
        if (user != NULL)
            assert_true(str_equals(user->name, str_from(files[i].want)));
        release(&outcome);
    }
}

static void read_with_mode(mode_t mode, const char *want)
{
    char path[] = "/tmp/users_file_test_XXXXXX";
    struct users users;
    struct diags diags;
    const struct mark named = {"postern.yaml", 12, 7};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    dprintf(fd, "bob:%s\n", HASH_BCRYPT);
    close(fd);
    users_init(&users);
    diags_init(&diags);
    int result = FROM_DISK(users_read(&users, disk, path, named, &diags));
    unlink(path);
    if (want == NULL) {
        assert_int_equal(result, 0);
        assert_int_equal(users.count, 1);
    } else {
        assert_int_equal(result, -1);
        assert_int_equal(diags.errors, 1);
        assert_int_equal(diags.items[0].mark.line, 12);
        assert_non_null(strstr(diags.items[0].text, want));
    }
    users_release(&users);
    diags_release(&diags);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    read_with_mode(0600, NULL);
    read_with_mode(0640, NULL);
    read_with_mode(0644, "others may read");
    read_with_mode(0602, "others may read");
}

static void a_missing_file_is_told_where_it_is_named(void **state)
{
    (void)state;
    struct users users;
    struct diags diags;
    const struct mark named = {"postern.yaml", 12, 7};
    users_init(&users);
    diags_init(&diags);
    assert_int_equal(
        FROM_DISK(users_read(&users, disk, "/nonexistent", named, &diags)), -1);
    assert_int_equal(FROM_DISK(users_read(&users, disk, "/tmp", named, &diags)),
                     -1);
    assert_int_equal(diags.errors, 2);
    assert_string_equal(diags.items[0].text,
                        "the users file /nonexistent can't be used: No such "
                        "file or directory");
    assert_int_equal(diags.items[0].mark.line, 12);
    users_release(&users);
    diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_both_forms_are_read),
        cmocka_unit_test(whom_a_login_may_act_as_is_read),
        cmocka_unit_test(faults_are_told_at_their_column),
        cmocka_unit_test(all_faults_of_a_file_are_told),
        cmocka_unit_test(a_nul_and_a_long_line_are_refused),
        cmocka_unit_test(every_login_of_a_large_file_is_found),
        cmocka_unit_test(logins_are_listed_by_what_they_hold),
        cmocka_unit_test(a_login_that_stands_twice_is_listed_too),
        cmocka_unit_test(who_lacks_keys_is_told),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(a_missing_file_is_told_where_it_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
