#include "proxy/log/printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct text_case {
    struct str text;
    size_t room;
    const char *want;
};

static const struct text_case cases[] = {
    {.text = STR_INIT("plain"), .room = 64, .want = "plain"},
    {.text = STR_INIT(""), .room = 64, .want = ""},
    {.text = STR_INIT("na\xc3\xafve"), .room = 64, .want = "na\xc3\xafve"},
    {.text = STR_INIT("a\r\nb\tc"), .room = 64, .want = "a\\r\\nb\\tc"},
    {.text = STR_INIT("\x1b[2J"), .room = 64, .want = "\\x1b[2J"},
    {.text = STR_INIT("\0\x7f"), .room = 64, .want = "\\x00\\x7f"},
    {.text = STR_INIT("c:\\x"), .room = 64, .want = "c:\\\\x"},
    {.text = STR_INIT("\xff"), .room = 64, .want = "\\xff"},
    {.text = STR_INIT("\xc2\x9b"
                      "31m"),
     .room = 64,
     .want = "\\u{9b}31m"},
    {.text = STR_INIT("a\xe2\x80\xae"
                      "b"),
     .room = 64,
     .want = "a\\u{202e}b"},
    {.text = STR_INIT("123456789"), .room = 9, .want = "123456789"},
    {.text = STR_INIT("123456789"), .room = 8, .want = "12345..."},
    {.text = STR_INIT("12345\xe2\x82\xac\xe2\x82\xac"),
     .room = 9,
     .want = "12345..."},
    {.text = STR_INIT("1234\x1b\x1b"), .room = 9, .want = "1234..."},
    {.text = STR_INIT("12345"), .room = 2, .want = ".."},
    {.text = STR_INIT("12345"), .room = 0, .want = ""},
};

static void nothing_but_printable_text_comes_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        size_t length = printable(cases[i].text, out, cases[i].room);
        assert_true(length <= cases[i].room);
        assert_int_equal(length, strlen(cases[i].want));
        assert_memory_equal(out, cases[i].want, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_printable_text_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
