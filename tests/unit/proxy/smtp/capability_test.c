#include "proxy/smtp/capability.h"

#include "proxy/smtp/xclient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void keywords_are_read(void **state)
{
    (void)state;
    struct capabilities found;
    capabilities_parse(STR("mx.example.com\nPIPELINING\nsize 1000\nSTARTTLS\n"
                           "ENHANCEDSTATUSCODES\n8BITMIME\nCHUNKING\nDSN\n"
                           "SMTPUTF8\nAUTH PLAIN LOGIN\nX-NEW a b c\n"),
                       &found);
    assert_true(found.has_pipelining && found.has_starttls &&
                found.has_enhanced_codes && found.has_8bitmime &&
                found.has_chunking && found.has_dsn && found.has_smtputf8);
    assert_true(found.has_size);
    assert_true(found.size == 1000);
}

static void the_greeting_offers_nothing(void **state)
{
    (void)state;
    struct capabilities found;
    static const char *const texts[] = {"", "STARTTLS", "STARTTLS\n",
                                        "DSN\nSTARTTLSX\nX STARTTLS"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        capabilities_parse(str_from(texts[i]), &found);
        assert_false(found.has_starttls || found.has_dsn || found.has_size);
    }
}

static void wire_U12_odd_sizes_tell_no_maximum(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t want;
    } cases[] = {
        {"mx\nSIZE", 0},
        {"mx\nSIZE ", 0},
        {"mx\nSIZE 0", 0},
        {"mx\nSIZE -1", 0},
        {"mx\nSIZE 99999999999999999999", 0},
        {"mx\nSIZE 18446744073709551615", UINT64_MAX},
        {"mx\nSIZE 10 20", 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capabilities found;
        capabilities_parse(str_from(cases[i].text), &found);
        assert_true(found.has_size);
        assert_true(found.size == cases[i].want);
    }
}

static void only_what_both_offer_stays(void **state)
{
    (void)state;
    struct capabilities ours;
    struct capabilities theirs;
    capabilities_parse(STR("a\nDSN\n8BITMIME\nSIZE 100"), &ours);
    capabilities_parse(STR("b\nSMTPUTF8\n8BITMIME\nSIZE 50"), &theirs);
    capabilities_intersect(&ours, &theirs);
    assert_true(ours.has_8bitmime);
    assert_false(ours.has_dsn || ours.has_smtputf8);
    assert_true(ours.has_size && ours.size == 50);
}

static void the_smaller_size_holds_and_zero_is_none(void **state)
{
    (void)state;
    static const struct {
        uint64_t ours, theirs, want;
    } cases[] = {{100, 50, 50}, {50, 100, 50}, {0, 50, 50},
                 {50, 0, 50},   {0, 0, 0},     {7, 7, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capabilities ours = {.has_size = true, .size = cases[i].ours};
        struct capabilities theirs = {.has_size = true,
                                      .size = cases[i].theirs};
        capabilities_intersect(&ours, &theirs);
        assert_true(ours.size == cases[i].want);
    }
    struct capabilities ours = {.has_size = true, .size = 9};
    struct capabilities theirs = {.has_size = false};
    capabilities_intersect(&ours, &theirs);
    assert_false(ours.has_size);
    assert_true(ours.size == 9);
    capabilities_intersect(&theirs,
                           &(struct capabilities){.has_size = true, .size = 8});
    assert_false(theirs.has_size);
    assert_true(theirs.size == 8);
}

static void xclient_tells_its_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned want;
    } cases[] = {
        {"mx\nXCLIENT NAME ADDR LOGIN",
         XCLIENT_NAME | XCLIENT_ADDR | XCLIENT_LOGIN},
        {"mx\nxclient port\nDSN", XCLIENT_PORT},
        {"mx\nXCLIENT", 0},
        {"mx\nXCLIENTS ADDR\nXFORWARD NAME", 0},
        {"mx XCLIENT ADDR", 0},
    };
    struct capabilities found;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        capabilities_parse(str_from(cases[i].text), &found);
        assert_int_equal(found.xclient, cases[i].want);
    }
}

static void a_policy_of_priorities_has_a_name_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"mx\nMT-PRIORITY MIXER", "MIXER"},
        {"mx\nMT-PRIORITY a-b_c.1 d", "a-b_c.1"},
        {"mx\nMT-PRIORITY", ""},
        {"mx\nMT-PRIORITY A\x1b[2J", ""},
        {"mx\nMT-PRIORITY ABCDEFGHIJKLMNOPQRST", "ABCDEFGHIJKLMNOPQRST"},
        {"mx\nMT-PRIORITY ABCDEFGHIJKLMNOPQRSTU", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capabilities found;
        capabilities_parse(str_from(cases[i].text), &found);
        assert_true(found.has_mt_priority);
        assert_string_equal(found.priority_policy, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_are_read),
        cmocka_unit_test(a_policy_of_priorities_has_a_name_or_none),
        cmocka_unit_test(xclient_tells_its_attributes),
        cmocka_unit_test(the_greeting_offers_nothing),
        cmocka_unit_test(wire_U12_odd_sizes_tell_no_maximum),
        cmocka_unit_test(only_what_both_offer_stays),
        cmocka_unit_test(the_smaller_size_holds_and_zero_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
