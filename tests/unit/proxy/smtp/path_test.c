#include "proxy/smtp/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LOCAL_64                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123"

struct path_case {
    struct str text;
    enum path_error want;
    const char *want_mailbox;
    const char *want_rest;
};

static void assert_path(const struct path_case *c, struct str text,
                        struct str mailbox, enum path_error error)
{
    assert_int_equal(error, c->want);
    if (c->want != PATH_OK)
        return;
    assert_true(str_equals(mailbox, str_from(c->want_mailbox)));
    assert_true(str_equals(text, str_from(c->want_rest)));
}

static void assert_both(const struct path_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str text = cases[i].text;
        struct str mailbox;
        enum path_error error = path_reverse(&text, &mailbox);
        assert_path(&cases[i], text, mailbox, error);
        text = cases[i].text;
        error = path_forward(&text, &mailbox);
        assert_path(&cases[i], text, mailbox, error);
    }
}

static void paths_are_read(void **state)
{
    (void)state;
    static const struct path_case cases[] = {
        {STR_INIT("<a@b>"), PATH_OK, "a@b", ""},
        {STR_INIT("<a@b> SIZE=1"), PATH_OK, "a@b", "SIZE=1"},
        {STR_INIT("<a@b>   SIZE=1 "), PATH_OK, "a@b", "SIZE=1 "},
        {STR_INIT("<a@b> "), PATH_OK, "a@b", ""},
    };
    assert_both(cases, sizeof cases / sizeof *cases);
}

static void wire_G05_paths_need_brackets_and_a_space_behind(void **state)
{
    (void)state;
    static const struct path_case cases[] = {
        {STR_INIT(""), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("a@b"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("a@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT(">"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b>SIZE=1"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b><c@d>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b>\t"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT(" <a@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("< a@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b >"), PATH_SYNTAX, NULL, NULL},
    };
    assert_both(cases, sizeof cases / sizeof *cases);
}

static void wire_G06_routes_hacks_and_quotes(void **state)
{
    (void)state;
    static const struct path_case cases[] = {
        {STR_INIT("<@a,@b:c@d>"), PATH_OK, "c@d", ""},
        {STR_INIT("<@a:c@d>"), PATH_OK, "c@d", ""},
        {STR_INIT("<@a,b:c@d>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<@a,@:c@d>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<@a,:c@d>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<@:c@d>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<@a:>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<@a>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<@x,@y:'any@me>"), PATH_OK, "'any@me", ""},
        {STR_INIT("<u%v@d>"), PATH_OK, "u%v@d", ""},
        {STR_INIT("<a!b@d>"), PATH_OK, "a!b@d", ""},
        {STR_INIT("<\"a@b\"@d>"), PATH_OK, "\"a@b\"@d", ""},
        {STR_INIT("<\"a b\"@d>"), PATH_OK, "\"a b\"@d", ""},
        {STR_INIT("<\"a>b\"@d>"), PATH_OK, "\"a>b\"@d", ""},
        {STR_INIT("<\"a\\\">b\"@d>"), PATH_OK, "\"a\\\">b\"@d", ""},
        {STR_INIT("<\"a\\\"b\"@d>"), PATH_OK, "\"a\\\"b\"@d", ""},
        {STR_INIT("<\"\0\"@d>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\"\"@d>"), PATH_OK, "\"\"@d", ""},
        {STR_INIT("<\"\">"), PATH_UNQUALIFIED, NULL, NULL},
        {STR_INIT("<\">"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\"a\\"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b>>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<<a@b>>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<<a@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@[127.0.0.1]>"), PATH_OK, "a@[127.0.0.1]", ""},
        {STR_INIT("<a@[IPv6:::1]>"), PATH_OK, "a@[IPv6:::1]", ""},
        {STR_INIT("<a@[IPv6:::g]>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b.>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@-b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@b..c>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<;cmd;@x>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<bob>"), PATH_UNQUALIFIED, NULL, NULL},
        {STR_INIT("<0" LOCAL_64 "@b>"), PATH_TOO_LONG, NULL, NULL},
    };
    assert_both(cases, sizeof cases / sizeof *cases);
}

static void wire_G06_the_empty_path_is_a_reverse_path_only(void **state)
{
    (void)state;
    struct str text = STR("<> BODY=7BIT");
    struct str mailbox = STR("x");
    assert_int_equal(path_reverse(&text, &mailbox), PATH_OK);
    assert_int_equal(mailbox.n, 0);
    assert_true(str_equals(text, STR("BODY=7BIT")));
    text = STR("<>");
    assert_int_equal(path_forward(&text, &mailbox), PATH_SYNTAX);
}

static void wire_G06_postmaster_needs_no_domain(void **state)
{
    (void)state;
    static const char *const cases[] = {"<Postmaster>", "<POSTMASTER>",
                                        "<postmaster>"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text = str_from(cases[i]);
        struct str mailbox;
        assert_int_equal(path_forward(&text, &mailbox), PATH_OK);
        assert_true(str_equals_nocase(mailbox, STR("postmaster")));
        text = str_from(cases[i]);
        assert_int_equal(path_reverse(&text, &mailbox), PATH_UNQUALIFIED);
    }
}

static void wire_G07_nothing_is_decoded(void **state)
{
    (void)state;
    static const struct path_case cases[] = {
        {STR_INIT("<a@b%00.evil>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a%0d%0a@b>"), PATH_OK, "a%0d%0a@b", ""},
        {STR_INIT("<a\\r\\n@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\"a\\r\\n\"@b>"), PATH_OK, "\"a\\r\\n\"@b", ""},
    };
    assert_both(cases, sizeof cases / sizeof *cases);
}

static void wire_G08_8bit_is_utf8_or_a_syntax_error(void **state)
{
    (void)state;
    static const struct path_case cases[] = {
        {STR_INIT("<\xc3\xa9@b>"), PATH_OK, "\xc3\xa9@b", ""},
        {STR_INIT("<a@\xd0\xb0.org>"), PATH_OK, "a@\xd0\xb0.org", ""},
        {STR_INIT("<@\xc3\xa9.org:a@b>"), PATH_OK, "a@b", ""},
        {STR_INIT("<\"\xc3\xa9 x\"@b> y"), PATH_OK, "\"\xc3\xa9 x\"@b",
         "y"},
        /* No other script's sign is an "@" or a dot. */
        {STR_INIT("<a\xef\xbc\xa0"
                  "b>"),
         PATH_UNQUALIFIED, NULL, NULL},
        {STR_INIT("<a@b\xe3\x80\x82org>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a@\xef\xbd\x82.org>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\xe2\x80\xae@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a\xc2\x85@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\"\\\xc3\xa9\"@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\xf0\x9f\x98\x80@b>"), PATH_OK, "\xf0\x9f\x98\x80@b",
         ""},
        {STR_INIT("<a\xc0\xae@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a\xed\xa0\x80@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a\xe2\x82>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a\x80@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<a\xf5\x80\x80\x80@b>"), PATH_SYNTAX, NULL, NULL},
        {STR_INIT("<\xc3\xa9@b"), PATH_SYNTAX, NULL, NULL},
    };
    assert_both(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(wire_G05_paths_need_brackets_and_a_space_behind),
        cmocka_unit_test(wire_G06_routes_hacks_and_quotes),
        cmocka_unit_test(wire_G06_the_empty_path_is_a_reverse_path_only),
        cmocka_unit_test(wire_G06_postmaster_needs_no_domain),
        cmocka_unit_test(wire_G07_nothing_is_decoded),
        cmocka_unit_test(wire_G08_8bit_is_utf8_or_a_syntax_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
