#include "proxy/smtp/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct mail_case {
    const char *text;
    enum params_error want;
    const char *want_what;
    struct mail_params want_params;
};

static const struct mail_case CASES[] = {
    {.text = "", .want = PARAMS_OK},
    {.text = "   ", .want = PARAMS_OK},
    {.text = "SIZE=0", .want_params = {.has_size = true}},
    {.text = "SIZE=1024 BODY=8BITMIME",
     .want_params = {true, 1024, BODY_8BITMIME}},
    {.text = "size=1  body=7bit ", .want_params = {true, 1, BODY_7BIT}},
    {.text = "SIZE=18446744073709551615",
     .want_params = {true, UINT64_MAX, BODY_ABSENT}},
    {.text = "SIZE=00000000000000000001",
     .want_params = {true, 1, BODY_ABSENT}},
    {.text = "SIZE=000000000000000000001",
     .want = PARAMS_SYNTAX,
     .want_what = "SIZE"},
    {.text = "SIZE=18446744073709551616",
     .want = PARAMS_SYNTAX,
     .want_what = "SIZE"},
    {.text = "SIZE=99999999999999999999",
     .want = PARAMS_SYNTAX,
     .want_what = "SIZE"},
    {.text = "SIZE=-1", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE=+1", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE=1k", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE=", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE=1=2", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE=1 SIZE=1", .want = PARAMS_SYNTAX, .want_what = "SIZE"},
    {.text = "SIZE=1 size=2", .want = PARAMS_SYNTAX, .want_what = "size"},
    {.text = "BODY=7BIT BODY=7BIT", .want = PARAMS_SYNTAX, .want_what = "BODY"},
    {.text = "BODY=FOO", .want = PARAMS_SYNTAX, .want_what = "BODY"},
    {.text = "BODY=", .want = PARAMS_SYNTAX, .want_what = "BODY"},
    {.text = "BODY=BINARYMIME", .want = PARAMS_UNKNOWN, .want_what = "BODY"},
    {.text = "FOO=1", .want = PARAMS_UNKNOWN, .want_what = "FOO"},
    {.text = "FOO", .want = PARAMS_UNKNOWN, .want_what = "FOO"},
    {.text = "SMTPUTF8", .want = PARAMS_UNKNOWN, .want_what = "SMTPUTF8"},
    {.text = "SIZE=1 RET=FULL", .want = PARAMS_UNKNOWN, .want_what = "RET"},
    {.text = "FOO=a=b", .want = PARAMS_SYNTAX, .want_what = "FOO"},
    {.text = "FOO=\xc3\xa9", .want = PARAMS_SYNTAX, .want_what = "FOO"},
    {.text = "-FOO=1", .want = PARAMS_SYNTAX, .want_what = "-FOO"},
    {.text = "F_O=1", .want = PARAMS_SYNTAX, .want_what = "F_O"},
    {.text = "=1", .want = PARAMS_SYNTAX, .want_what = ""},
    {.text = "=", .want = PARAMS_SYNTAX, .want_what = ""},
    {.text = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
     .want = PARAMS_UNKNOWN,
     .want_what = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"},
};

static void parameters_of_mail_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct mail_case *c = &CASES[i];
        struct mail_params params;
        struct str what;
        enum params_error error =
            mail_params_parse(str_from(c->text), &params, &what);
        assert_int_equal(error, c->want);
        assert_true(str_equals(
            what, str_from(c->want_what == NULL ? "" : c->want_what)));
        if (error != PARAMS_OK)
            continue;
        assert_int_equal(params.has_size, c->want_params.has_size);
        assert_true(params.size == c->want_params.size);
        assert_int_equal(params.body, c->want_params.body);
    }
}

static void wire_A07_auth_is_checked_and_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum params_error want;
    } cases[] = {
        {"AUTH=<>", PARAMS_OK},
        {"AUTH=e+3Dmc2@x", PARAMS_OK},
        {"AUTH=a@b SIZE=1", PARAMS_OK},
        {"AUTH=+2B", PARAMS_OK},
        {"AUTH=+ZZ", PARAMS_SYNTAX},
        {"AUTH=+3d", PARAMS_SYNTAX},
        {"AUTH=a+3", PARAMS_SYNTAX},
        {"AUTH=a+", PARAMS_SYNTAX},
        {"AUTH=", PARAMS_SYNTAX},
        {"AUTH", PARAMS_SYNTAX},
        {"AUTH=<> AUTH=<>", PARAMS_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* In memory that ends where the text ends. */
        size_t n = strlen(cases[i].text);
        char *copy = malloc(n);
        struct mail_params params;
        struct str what;
        assert_non_null(copy);
        memcpy(copy, cases[i].text, n);
        assert_int_equal(mail_params_parse(str_span(copy, n), &params, &what),
                         cases[i].want);
        free(copy);
    }
}

static void rcpt_knows_no_parameter_yet(void **state)
{
    (void)state;
    struct str what;
    assert_int_equal(rcpt_params_parse(STR(""), &what), PARAMS_OK);
    assert_int_equal(rcpt_params_parse(STR("  "), &what), PARAMS_OK);
    assert_int_equal(rcpt_params_parse(STR("NOTIFY=NEVER"), &what),
                     PARAMS_UNKNOWN);
    assert_true(str_equals(what, STR("NOTIFY")));
    assert_int_equal(rcpt_params_parse(STR("<c@d>"), &what), PARAMS_SYNTAX);
    assert_int_equal(rcpt_params_parse(STR("A="), &what), PARAMS_SYNTAX);
}

static void wire_G03_names_of_helo(void **state)
{
    (void)state;
    static const struct {
        struct str name;
        bool want;
    } cases[] = {
        {STR_INIT("example.com"), true},
        {STR_INIT("localhost"), true},
        {STR_INIT("WIN_PC-7"), true},
        {STR_INIT("_x.y_"), true},
        {STR_INIT("192.168.1.2"), true},
        {STR_INIT("::1"), true},
        {STR_INIT("[127.0.0.1]"), true},
        {STR_INIT("[IPv6:2001:db8::1]"), true},
        {STR_INIT(""), false},
        {STR_INIT("a b"), false},
        {STR_INIT(" a"), false},
        {STR_INIT("[127.0.0.1"), false},
        {STR_INIT("127.0.0.1]"), false},
        {STR_INIT("[]"), false},
        {STR_INIT("[example.com]"), false},
        {STR_INIT("<script>"), false},
        {STR_INIT("$(id)"), false},
        {STR_INIT("a..b"), false},
        {STR_INIT(".a"), false},
        {STR_INIT("a."), false},
        {STR_INIT("-a"), false},
        {STR_INIT("a-.b"), false},
        {STR_INIT("a@b"), false},
        {STR_INIT("a%b"), false},
        {STR_INIT("a\0b"), false},
        {STR_INIT("a\rb"), false},
        {STR_INIT("\xc3\xa9.org"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(helo_name_is_valid(cases[i].name), cases[i].want);
    char name[65536];
    memset(name, 'a', sizeof name);
    assert_true(helo_name_is_valid(str_span(name, 254)));
    assert_false(helo_name_is_valid(str_span(name, 255)));
    assert_false(helo_name_is_valid(str_span(name, sizeof name)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_of_mail_are_read),
        cmocka_unit_test(wire_A07_auth_is_checked_and_dropped),
        cmocka_unit_test(rcpt_knows_no_parameter_yet),
        cmocka_unit_test(wire_G03_names_of_helo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
