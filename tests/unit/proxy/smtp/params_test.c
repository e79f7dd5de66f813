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
     .want_params = {.has_size = true, .size = 1024, .body = BODY_8BITMIME}},
    {.text = "size=1  body=7bit ",
     .want_params = {.has_size = true, .size = 1, .body = BODY_7BIT}},
    {.text = "SIZE=18446744073709551615",
     .want_params = {.has_size = true, .size = UINT64_MAX}},
    {.text = "SIZE=00000000000000000001",
     .want_params = {.has_size = true, .size = 1}},
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
    {.text = "FOO=a=b", .want = PARAMS_SYNTAX, .want_what = "FOO"},
    {.text = "FOO=\xc3", .want = PARAMS_SYNTAX, .want_what = "FOO"},
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

struct value_case {
    const char *text;
    enum params_error want;
};

/* Each in memory that ends where the text ends. */
static void check_values(const struct value_case *cases, size_t count,
                         bool is_mail)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(cases[i].text);
        char *copy = malloc(n + 1);
        struct mail_params mail;
        struct rcpt_params rcpt;
        struct str what;
        assert_non_null(copy);
        memcpy(copy, cases[i].text, n);
        struct str text = str_span(copy, n);
        enum params_error error = is_mail
                                      ? mail_params_parse(text, &mail, &what)
                                      : rcpt_params_parse(text, &rcpt, &what);
        if (error != cases[i].want)
            print_error("%s\n", cases[i].text);
        assert_int_equal(error, cases[i].want);
        free(copy);
    }
}

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static void extensions_of_mail_have_their_grammar(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        {"SMTPUTF8", PARAMS_OK},
        {"smtputf8", PARAMS_OK},
        {"SMTPUTF8=1", PARAMS_SYNTAX},
        {"SMTPUTF8 SMTPUTF8", PARAMS_SYNTAX},
        {"REQUIRETLS", PARAMS_OK},
        {"REQUIRETLS=YES", PARAMS_SYNTAX},
        {"RET=FULL", PARAMS_OK},
        {"ret=hdrs", PARAMS_OK},
        {"RET=BODY", PARAMS_SYNTAX},
        {"RET", PARAMS_SYNTAX},
        {"ENVID=QQ314159", PARAMS_OK},
        {"ENVID=a+2Bb", PARAMS_OK},
        {"ENVID=a+2bb", PARAMS_SYNTAX},
        {"ENVID=a+", PARAMS_SYNTAX},
        {"ENVID=a+20b+7E", PARAMS_OK},
        {"ENVID=a+0D+0ASubject:+20b", PARAMS_SYNTAX},
        {"ENVID=a+00b", PARAMS_SYNTAX},
        {"ENVID=a+1Bb", PARAMS_SYNTAX},
        {"ENVID=a+7Fb", PARAMS_SYNTAX},
        {"ENVID=a+C3+A9", PARAMS_SYNTAX},
        {"ENVID=" FIFTY FIFTY, PARAMS_OK},
        {"ENVID=" FIFTY FIFTY "x", PARAMS_SYNTAX},
        {"HOLDFOR=0", PARAMS_OK},
        {"HOLDFOR=999999999", PARAMS_OK},
        {"HOLDFOR=1000000000", PARAMS_SYNTAX},
        {"HOLDFOR=-1", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-05T09:30:01Z", PARAMS_OK},
        {"HOLDUNTIL=2026-12-31T23:59:59Z", PARAMS_OK},
        {"HOLDUNTIL=2026-13-01T00:00:00Z", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-00-01T00:00:00Z", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-32T00:00:00Z", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-00T00:00:00Z", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-01T24:00:00Z", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-01T00:60:00Z", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-05T09:30:01+01:00", PARAMS_SYNTAX},
        {"HOLDUNTIL=2026-01-05", PARAMS_SYNTAX},
        {"HOLDFOR=1 HOLDUNTIL=2026-01-05T09:30:01Z", PARAMS_SYNTAX},
        {"MT-PRIORITY=-9", PARAMS_OK},
        {"MT-PRIORITY=0", PARAMS_OK},
        {"MT-PRIORITY=9", PARAMS_OK},
        {"MT-PRIORITY=10", PARAMS_SYNTAX},
        {"MT-PRIORITY=-0", PARAMS_SYNTAX},
        {"MT-PRIORITY=+1", PARAMS_SYNTAX},
        {"MT-PRIORITY=high", PARAMS_SYNTAX},
        {"BY=120;R", PARAMS_OK},
        {"BY=+120;rt", PARAMS_OK},
        {"BY=-999999999;N", PARAMS_OK},
        {"BY=-1;R", PARAMS_SYNTAX},
        {"BY=0;R", PARAMS_SYNTAX},
        {"BY=0;N", PARAMS_OK},
        {"BY=1000000000;N", PARAMS_SYNTAX},
        {"BY=1;X", PARAMS_SYNTAX},
        {"BY=1;NX", PARAMS_SYNTAX},
        {"BY=1;NTT", PARAMS_SYNTAX},
        {"BY=1;", PARAMS_SYNTAX},
        {"BY=1", PARAMS_SYNTAX},
        {"BY=;N", PARAMS_SYNTAX},
        {"NOTIFY=NEVER", PARAMS_UNKNOWN},
    };
    check_values(cases, sizeof cases / sizeof *cases, true);
}

static void parameters_of_rcpt_have_their_grammar(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        {"", PARAMS_OK},
        {"  ", PARAMS_OK},
        {"NOTIFY=NEVER", PARAMS_OK},
        {"notify=success,FAILURE,delay", PARAMS_OK},
        {"NOTIFY=NEVER,DELAY", PARAMS_SYNTAX},
        {"NOTIFY=DELAY,DELAY", PARAMS_SYNTAX},
        {"NOTIFY=DELAY,", PARAMS_SYNTAX},
        {"NOTIFY=ALWAYS", PARAMS_SYNTAX},
        {"NOTIFY=", PARAMS_SYNTAX},
        {"NOTIFY", PARAMS_SYNTAX},
        {"ORCPT=rfc822;bob@example.com", PARAMS_OK},
        {"ORCPT=rfc822;a+2Bb@example.com", PARAMS_OK},
        {"ORCPT=rfc822;a+b@example.com", PARAMS_SYNTAX},
        {"ORCPT=rfc822;a\xc3\xa9@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\xc3\xa9@example.com", PARAMS_OK},
        {"ORCPT=utf-8;a\\x{E9}@example.com", PARAMS_OK},
        {"ORCPT=utf-8;a\\x{2B}b\\x{1F600}@example.com", PARAMS_OK},
        {"ORCPT=utf-8;a\\x{0A}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{41}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{e9}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{00E9}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{D800}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{110000}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{202E}b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{}@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\x{2B", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\\b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a+b@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;", PARAMS_SYNTAX},
        {"ORCPT=rfc822;a+0Ab@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\xc3@example.com", PARAMS_SYNTAX},
        {"ORCPT=utf-8;a\xe2\x80\xae@example.com", PARAMS_SYNTAX},
        {"ORCPT=bob@example.com", PARAMS_SYNTAX},
        {"ORCPT=;bob", PARAMS_SYNTAX},
        {"ORCPT=rfc822;", PARAMS_SYNTAX},
        {"ORCPT=rfc822;" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
             TEN TEN TEN TEN "012",
         PARAMS_OK},
        {"ORCPT=rfc822;" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
             TEN TEN TEN TEN "01234",
         PARAMS_SYNTAX},
        {"NOTIFY=NEVER ORCPT=rfc822;a@b NOTIFY=NEVER", PARAMS_SYNTAX},
        {"RET=FULL", PARAMS_UNKNOWN},
        {"<c@d>", PARAMS_SYNTAX},
        {"A=", PARAMS_SYNTAX},
    };
    check_values(cases, sizeof cases / sizeof *cases, false);
}

static const struct capabilities everything = {
    .has_size = true,
    .has_8bitmime = true,
    .has_smtputf8 = true,
    .has_dsn = true,
    .has_requiretls = true,
    .has_futurerelease = true,
    .hold_seconds = 100,
    .hold_until = "2027-01-01T00:00:00Z",
    .has_mt_priority = true,
    .has_deliverby = true,
    .deliverby_seconds = 60,
};

static void each_goes_on_only_where_it_is_offered(void **state)
{
    (void)state;
    static const char *const ones[] = {
        " SIZE=7",      " BODY=8BITMIME",
        " SMTPUTF8",    " REQUIRETLS",
        " RET=HDRS",    " ENVID=x+2By",
        " HOLDFOR=100", " MT-PRIORITY=-3",
        " BY=60;R",     " HOLDUNTIL=2026-01-05T09:30:01Z",
    };
    static const struct capabilities nothing = {.has_pipelining = true};
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
        struct mail_params params;
        struct str what;
        char to[PARAMS_TEXT_MAX];
        assert_int_equal(mail_params_parse(str_from(ones[i]), &params, &what),
                         PARAMS_OK);
        size_t n = mail_params_write(&params, &everything, to, sizeof to);
        assert_true(str_equals(str_span(to, n), str_from(ones[i])));
        assert_int_equal(mail_params_write(&params, &nothing, to, sizeof to),
                         0);
        assert_int_equal(params.extensions != 0, i > 0);
    }
}

static void parameters_of_rcpt_go_on_where_dsn_is_offered(void **state)
{
    (void)state;
    struct rcpt_params params;
    struct str what;
    char to[PARAMS_TEXT_MAX];
    struct capabilities none = {.has_size = true};
    assert_int_equal(rcpt_params_parse(STR("orcpt=rfc822;a@b  notify=DELAY"),
                                       &params, &what),
                     PARAMS_OK);
    size_t n = rcpt_params_write(&params, &everything, to, sizeof to);
    assert_true(
        str_equals(str_span(to, n), STR(" NOTIFY=DELAY ORCPT=rfc822;a@b")));
    assert_int_equal(rcpt_params_write(&params, &none, to, sizeof to), 0);
}

static void more_than_was_offered_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"HOLDFOR=100", NULL},
        {"HOLDFOR=101", "HOLDFOR"},
        {"HOLDUNTIL=2027-01-01T00:00:00Z", NULL},
        {"HOLDUNTIL=2027-01-01T00:00:01Z", "HOLDUNTIL"},
        {"BY=60;R", NULL},
        {"BY=59;R", "BY"},
        {"BY=59;N", NULL},
        {"BY=-59;NT", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mail_params params;
        struct str what;
        assert_int_equal(
            mail_params_parse(str_from(cases[i].text), &params, &what),
            PARAMS_OK);
        const char *over = mail_params_over_offer(&params, &everything);
        assert_true(
            str_equals(str_from(over == NULL ? "" : over),
                       str_from(cases[i].want == NULL ? "" : cases[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_of_mail_are_read),
        cmocka_unit_test(wire_A07_auth_is_checked_and_dropped),
        cmocka_unit_test(extensions_of_mail_have_their_grammar),
        cmocka_unit_test(parameters_of_rcpt_have_their_grammar),
        cmocka_unit_test(each_goes_on_only_where_it_is_offered),
        cmocka_unit_test(parameters_of_rcpt_go_on_where_dsn_is_offered),
        cmocka_unit_test(more_than_was_offered_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
