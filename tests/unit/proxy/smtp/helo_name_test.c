#include "proxy/smtp/helo_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
        cmocka_unit_test(wire_G03_names_of_helo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
