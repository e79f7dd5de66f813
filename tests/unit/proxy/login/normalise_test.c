#include "proxy/login/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct name_case {
    const char *title;
    struct str name;
    const char *want; /* NULL: refused */
};

static const struct name_case cases[] = {
    {"lower case", STR_INIT("Bob"), "bob"},
    {"an address", STR_INIT("Bob@Example.COM"), "bob@example.com"},
    {"spaces stay", STR_INIT("bob smith "), "bob smith "},
    {"RFC 4013 3, soft hyphen", STR_INIT("I\xc2\xadX"), "ix"},
    {"RFC 4013 3, feminine ordinal", STR_INIT("\xc2\xaa"), "a"},
    {"RFC 4013 3, roman nine", STR_INIT("\xe2\x85\xa8"), "ix"},
    {"no-break space",
     STR_INIT("a\xc2\xa0"
              "b"),
     "a b"},
    {"full width", STR_INIT("\xef\xbc\xa2ob"), "bob"},
    {"accents compose", STR_INIT("e\xcc\x81"), "\xc3\xa9"},
    {.title = "empty", .name = STR_INIT("")},
    {.title = "nothing left", .name = STR_INIT("\xc2\xad")},
    {.title = "RFC 4013 3, control", .name = STR_INIT("\x07")},
    {.title = "RFC 4013 3, bidirectional",
     .name = STR_INIT("\xd8\xa7"
                      "1")},
    {.title = "line ends", .name = STR_INIT("alice@x\r\nRCPT TO:")},
    {.title = "NUL", .name = STR_INIT("bob\0eve")},
    {.title = "NUL and not ASCII", .name = STR_INIT("\xc3\xa9\0eve")},
    {.title = "DEL", .name = STR_INIT("bob\x7f")},
    {.title = "not UTF-8", .name = STR_INIT("bob\xff")},
    {.title = "cut UTF-8", .name = STR_INIT("bob\xc3")},
    {.title = "unassigned in Unicode 3.2", .name = STR_INIT("\xc8\xa1")},
    {.title = "private use", .name = STR_INIT("\xee\x80\x80")},
};

static void wire_A08_names_have_one_form_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        arena_init(&arena, 16 * 1024);
        print_message("  %s\n", cases[i].title);
        struct str got = login_normalise(&arena, cases[i].name);
        if (cases[i].want == NULL) {
            assert_null(got.p);
        } else {
            assert_non_null(got.p);
            assert_string_equal(got.p, cases[i].want);
        }
        arena_release(&arena);
    }
}

static void a_long_name_is_refused(void **state)
{
    (void)state;
    char name[4096];
    struct arena arena;
    arena_init(&arena, 16 * 1024);
    memset(name, 'a', sizeof name);
    assert_non_null(login_normalise(&arena, str_span(name, 255)).p);
    assert_null(login_normalise(&arena, str_span(name, 256)).p);
    assert_null(login_normalise(&arena, str_span(name, sizeof name)).p);
    /* U+FDFA becomes eighteen characters. */
    for (size_t i = 0; i + 3 <= 255; i += 3)
        memcpy(name + i, "\xef\xb7\xba", 3);
    assert_null(login_normalise(&arena, str_span(name, 255)).p);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_A08_names_have_one_form_or_none),
        cmocka_unit_test(a_long_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
