#include "config/sections.h"

#include "golden.h"

/* A login at a server elsewhere, over TLS, and one in clear text. */
#define SAFE(login)                                                            \
    "upstreams:\n"                                                             \
    "  mta:\n"                                                                 \
    "    servers: [\"mx.example.com:587\"]\n"                                  \
    "    tls: {mode: starttls}\n"                                              \
    "    login: " login "\n"                                                   \
    "upstream: mta\n"
#define CLEAR(server, login)                                                   \
    "upstreams:\n"                                                             \
    "  mta:\n"                                                                 \
    "    servers: [\"" server "\"]\n"                                          \
    "    login: " login "\n"                                                   \
    "upstream: mta\n"

static const struct golden faults[] = {
    {.name = "nothing to log in with",
     .text = SAFE("{user: postern}"),
     .want = "t.yaml:5:12: error: login lacks what to log in with: user and "
             "password_file, user and token_file or token_command, "
             "credentials, or client: true\n"},
    {.name = "two ways",
     .text = SAFE("{user: postern, password_file: p, client: true}"),
     .want = "t.yaml:5:12: error: login takes either password_file or client, "
             "not both\n"
             "t.yaml:5:19: error: user has no meaning beside client: remove "
             "it\n"},
    {.name = "a password of nobody",
     .text = SAFE("{password_file: p}"),
     .want = "t.yaml:5:12: error: login lacks the key user: whose is the "
             "password?\n"},
    {.name = "a user beside others",
     .text = SAFE("{user: x, credentials: {by: \"{auth.user}\", file: f}}"),
     .want = "t.yaml:5:19: error: user has no meaning beside credentials: "
             "remove it\n"},
    {.name = "a mechanism that is none",
     .text = SAFE("{mechanism: CRAM-MD5, user: x, password_file: p}"),
     .want = "t.yaml:5:24: error: mechanism takes PLAIN, LOGIN, "
             "SCRAM-SHA-256, XOAUTH2 or OAUTHBEARER, not \"CRAM-MD5\"\n"},
    {.name = "a password for a token's mechanism",
     .text = SAFE("{mechanism: XOAUTH2, user: x, password_file: p}"),
     .want = "t.yaml:5:24: error: this mechanism takes a token; for a password "
             "there are SCRAM-SHA-256, PLAIN and LOGIN\n"},
    {.name = "a token for a password's mechanism",
     .text = SAFE("{mechanism: PLAIN, user: x, token_file: t}"),
     .want = "t.yaml:5:24: error: this mechanism takes a password; for a token "
             "there are OAUTHBEARER and XOAUTH2\n"},
    {.name = "a program without its path",
     .text = SAFE("{user: x, token_command: oauth2 --token}"),
     .want = "t.yaml:5:37: error: token_command takes a program by its whole "
             "path and its arguments, 32 words at most: [/usr/bin/token, "
             "--mail]; there is no shell\n"},
    {.name = "no fact",
     .text = SAFE("{credentials: {by: auth.user, file: f}}"),
     .want = "t.yaml:5:31: error: by takes one fact, such as \"{auth.user}\", "
             "not \"auth.user\"\n"},
    {.name = "a fact that is none",
     .text = SAFE("{credentials: {by: \"{auth.usr}\", file: f}}"),
     .want = "t.yaml:5:31: error: by takes one fact, such as \"{auth.user}\", "
             "not \"{auth.usr}\", did you mean auth.user?\n"},
    {.name = "a fact that comes too late",
     .text = SAFE("{credentials: {by: \"{rcpt.to}\", file: f}}"),
     .want = "t.yaml:5:31: error: by takes a fact with one value that is known "
             "before the first recipient; {rcpt.to} is not\n"},
    {.name = "a fact of many values",
     .text = SAFE("{credentials: {by: \"{auth.groups}\", file: f}}"),
     .want = "t.yaml:5:31: error: by takes a fact with one value that is known "
             "before the first recipient; {auth.groups} is not\n"},
    {.name = "in clear text",
     .text = CLEAR("mx.example.com:25", "{user: x, password_file: p}"),
     .want = "t.yaml:4:12: error: login over clear text tells everybody on the "
             "way: write tls: {mode: starttls} or implicit, or mechanism: "
             "SCRAM-SHA-256\n"},
    {.name = "in clear text to a name that looks like this machine",
     .text = CLEAR("127.example.com:25", "{user: x, password_file: p}"),
     .want = "t.yaml:4:12: error: login over clear text tells everybody on the "
             "way: write tls: {mode: starttls} or implicit, or mechanism: "
             "SCRAM-SHA-256\n"},
    {.name = "in clear text on this machine",
     .text = CLEAR("127.0.0.1:25", "{user: x, password_file: p}"),
     .want = ""},
    {.name = "a password that is not told",
     .text = CLEAR("mx.example.com:25",
                   "{mechanism: SCRAM-SHA-256, user: x, password_file: p}"),
     .want = ""},
    {.name = "to whoever answers",
     .text = "upstreams:\n"
             "  mta:\n"
             "    servers: [\"mx.example.com:587\"]\n"
             "    tls: {mode: starttls, verify: false}\n"
             "    login: {user: x, password_file: p}\n"
             "upstream: mta\n",
     .want = "t.yaml:5:12: warning: with verify: false the login is told to "
             "whoever answers\n"},
    {.name = "spare connections of nobody",
     .text = "upstreams:\n"
             "  mta:\n"
             "    servers: [\"127.0.0.1:587\"]\n"
             "    pool: {spare: 1}\n"
             "    login: {client: true}\n"
             "upstream: mta\n",
     .want = "t.yaml:4:19: error: spare has no meaning where not all mail goes "
             "out under one login: remove it\n"},
    {.name = "a maildir",
     .text = "upstreams:\n"
             "  mta: {maildir: mail, login: {user: x, password_file: p}}\n"
             "upstream: mta\n",
     .want = "t.yaml:2:31: error: login has no meaning for a maildir: remove "
             "it\n"},
};

static void each_fault_has_its_place(void **state)
{
    struct golden upstream[sizeof faults / sizeof *faults];
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        upstream[i] = faults[i];
        upstream[i].without = GOLDEN_UPSTREAMS;
    }
    golden_check(upstream, sizeof upstream / sizeof *upstream);
}

static const struct settings *load_login(const char *text)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings =
        golden_load(text, GOLDEN_UPSTREAMS, &diags);
    assert_non_null(settings);
    diags_release(&diags);
    return settings;
}

static void each_way_to_log_in_is_understood(void **state)
{
    static const struct {
        const char *text;
        enum login_kind want;
        unsigned want_mechanisms;
    } cases[] = {
        {SAFE("{user: x, password_file: p}"), LOGIN_PASSWORD,
         1U << MECHANISM_PLAIN | 1U << MECHANISM_LOGIN |
             1U << MECHANISM_SCRAM_SHA_256},
        {SAFE("{mechanism: LOGIN, user: x, password_file: p}"), LOGIN_PASSWORD,
         1U << MECHANISM_LOGIN},
        {SAFE("{user: x, token_file: t}"), LOGIN_TOKEN,
         1U << MECHANISM_XOAUTH2 | 1U << MECHANISM_OAUTHBEARER},
        {SAFE("{user: x, token_command: [/bin/token, -v]}"), LOGIN_TOKEN,
         1U << MECHANISM_XOAUTH2 | 1U << MECHANISM_OAUTHBEARER},
        {SAFE("{credentials: {by: \"{mail.from.domain}\", file: f}}"),
         LOGIN_BY_FACT,
         1U << MECHANISM_PLAIN | 1U << MECHANISM_LOGIN |
             1U << MECHANISM_SCRAM_SHA_256},
        {SAFE("{client: true, mechanism: PLAIN}"), LOGIN_OF_CLIENT,
         1U << MECHANISM_PLAIN},
        {"upstreams:\n  mta: {servers: [\"127.0.0.1:25\"]}\nupstream: mta\n",
         LOGIN_NONE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct settings *settings = load_login(cases[i].text);
        const struct login_settings *login = &settings->upstreams[0].login;
        print_message("%s", cases[i].text);
        assert_int_equal(login->kind, cases[i].want);
        assert_int_equal(login->mechanisms, cases[i].want_mechanisms);
        settings_unref(settings);
    }
}

static void what_is_looked_up_and_run_is_kept(void **state)
{
    (void)state;
    const struct settings *settings = load_login(
        SAFE("{credentials: {by: \"{mail.from.domain}\", file: f}}"));
    const struct login_settings *login = &settings->upstreams[0].login;
    assert_int_equal(login->by.fact, FACT_MAIL_FROM);
    assert_int_equal(login->by.part, FACT_PART_DOMAIN);
    settings_unref(settings);
    settings = load_login(SAFE("{user: x, token_command: [/bin/token, -v]}"));
    login = &settings->upstreams[0].login;
    assert_string_equal(login->token_command[0], "/bin/token");
    assert_string_equal(login->token_command[1], "-v");
    assert_null(login->token_command[2]);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_place),
        cmocka_unit_test(each_way_to_log_in_is_understood),
        cmocka_unit_test(what_is_looked_up_and_run_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
