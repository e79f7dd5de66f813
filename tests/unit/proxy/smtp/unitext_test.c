#include "proxy/smtp/unitext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What is valid, and what is not, is in params_test.c: ORCPT=utf-8. */
static void what_a_parameter_may_not_hold_is_encoded(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"\xc3\xa9@example.com", "\xc3\xa9@example.com"},
        {"\xc3\xa9+tag@example.com", "\xc3\xa9\\x{2B}tag@example.com"},
        {"a=\xc3\xa9@example.com", "a\\x{3D}\xc3\xa9@example.com"},
        {"\"\xc3\xa9 NOTIFY=NEVER\"@example.com",
         "\"\xc3\xa9\\x{20}NOTIFY\\x{3D}NEVER\"@example.com"},
        {"\"\xc3\xa9\\\\\"@example.com",
         "\"\xc3\xa9\\x{5C}\\x{5C}\"@example.com"},
    };
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str encoded = unitext_encode(&arena, str_from(cases[i].text));
        assert_true(str_equals(encoded, str_from(cases[i].want)));
        assert_true(unitext_is_valid(encoded));
    }
    arena_release(&arena);
}

static void an_arena_that_is_full_is_told(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    assert_null(unitext_encode(&arena, STR("a@example.com")).p);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_parameter_may_not_hold_is_encoded),
        cmocka_unit_test(an_arena_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
