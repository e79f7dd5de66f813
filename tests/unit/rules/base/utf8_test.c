#include "rules/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct octet_case {
    const char *name;
    struct str octets;
    size_t want_length;
    uint32_t want_character;
};

static const struct octet_case cases[] = {
    {.name = "empty", .octets = STR_INIT("")},
    {.name = "ascii",
     .octets = STR_INIT("a"),
     .want_length = 1,
     .want_character = 'a'},
    {.name = "nul", .octets = STR_INIT("\0"), .want_length = 1},
    {.name = "two",
     .octets = STR_INIT("\xc3\xa9x"),
     .want_length = 2,
     .want_character = 0xe9},
    {.name = "three",
     .octets = STR_INIT("\xe2\x82\xac"),
     .want_length = 3,
     .want_character = 0x20ac},
    {.name = "four",
     .octets = STR_INIT("\xf0\x9f\x98\x80"),
     .want_length = 4,
     .want_character = 0x1f600},
    {.name = "last",
     .octets = STR_INIT("\xf4\x8f\xbf\xbf"),
     .want_length = 4,
     .want_character = 0x10ffff},
    {.name = "beyond the last", .octets = STR_INIT("\xf4\x90\x80\x80")},
    {.name = "overlong slash", .octets = STR_INIT("\xc0\xaf")},
    {.name = "overlong three", .octets = STR_INIT("\xe0\x80\xaf")},
    {.name = "overlong four", .octets = STR_INIT("\xf0\x80\x80\xaf")},
    {.name = "surrogate", .octets = STR_INIT("\xed\xa0\x80")},
    {.name = "bare continuation", .octets = STR_INIT("\x80")},
    {.name = "cut", .octets = STR_INIT("\xe2\x82")},
    {.name = "lead without continuation",
     .octets = STR_INIT("\xc3"
                        "a")},
    {.name = "no lead at all", .octets = STR_INIT("\xff\x80\x80\x80")},
};

static void only_canonical_utf8_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t character = 0;
        print_message("  %s\n", cases[i].name);
        assert_int_equal(utf8_next(cases[i].octets, &character),
                         cases[i].want_length);
        assert_int_equal(character, cases[i].want_character);
    }
}

static void a_text_is_valid_if_all_of_it_is(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(STR("")));
    assert_true(utf8_is_valid(STR("na\xc3\xafve")));
    assert_false(utf8_is_valid(STR("na\xc3\xafve\xc3")));
}

static void controls_of_terminals_are_known(void **state)
{
    static const uint32_t controls[] = {0,      0x1b,   0x1f,   0x7f,
                                        0x80,   0x9b,   0x9f,   0x2028,
                                        0x2029, 0x202e, 0x2066, 0xfeff};
    static const uint32_t others[] = {' ', '~', 0xa0, 0xe9, 0x2027, 0x1f600};
    (void)state;
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        assert_true(utf8_is_control(controls[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(utf8_is_control(others[i]));
}

/* In memory that ends where the text ends. */
static bool is_valid_alone(struct str text)
{
    char *copy = malloc(text.n + (text.n == 0));
    assert_non_null(copy);
    memcpy(copy, text.p, text.n);
    bool is_valid = utf8_is_valid(str_span(copy, text.n));
    free(copy);
    return is_valid;
}

static void only_well_formed_text_is_valid(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool want;
    } texts[] = {
        {STR_INIT(""), true},
        {STR_INIT("plain"), true},
        {STR_INIT("\xc3\xa9"), true},
        {STR_INIT("\xe2\x82\xac"), true},
        {STR_INIT("\xf0\x9f\x98\x80"), true},
        {STR_INIT("\xed\x9f\xbf\xee\x80\x80"), true},
        {STR_INIT("\xf4\x8f\xbf\xbf"), true},
        {STR_INIT("a\0b"), true},
        {STR_INIT("\xc0\xae"), false},
        {STR_INIT("\xc1\xbf"), false},
        {STR_INIT("\xe0\x9f\xbf"), false},
        {STR_INIT("\xf0\x8f\xbf\xbf"), false},
        {STR_INIT("\xed\xa0\x80"), false},
        {STR_INIT("\xed\xbf\xbf"), false},
        {STR_INIT("\xf4\x90\x80\x80"), false},
        {STR_INIT("\xf5\x80\x80\x80"), false},
        {STR_INIT("\xff"), false},
        {STR_INIT("\x80"), false},
        {STR_INIT("a\xbf"), false},
        {STR_INIT("\xc3"), false},
        {STR_INIT("\xe2\x82"), false},
        {STR_INIT("\xf0\x9f\x98"), false},
        {STR_INIT("\xc3x"), false},
        {STR_INIT("\xe2\x82x"), false},
        {STR_INIT("\xf0\x9f\x98x"), false},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(is_valid_alone(texts[i].text), texts[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_text_is_valid),
        cmocka_unit_test(only_canonical_utf8_is_read),
        cmocka_unit_test(a_text_is_valid_if_all_of_it_is),
        cmocka_unit_test(controls_of_terminals_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
