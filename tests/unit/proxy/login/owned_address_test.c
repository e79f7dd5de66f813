#include "proxy/login/owned_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_back_ends_may_say_is_an_address_or_a_pattern(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        enum owned_address want;
        struct str want_kept; /* n 0: it is not kept */
    } cases[] = {
        {STR("bob@Example.com"), OWNED_ADDRESS_FINE, STR("bob@example.com")},
        {STR("*@Sales.example"), OWNED_ADDRESS_FINE, STR("*@sales.example")},
        {STR("b*@x.example"), OWNED_ADDRESS_FINE, STR("b*@x.example")},
        {STR("*"), OWNED_ADDRESS_FINE, STR("*")},
        {STR("bob"), OWNED_ADDRESS_NONE, STR("")},
        {STR("bob@"), OWNED_ADDRESS_NONE, STR("")},
        {STR("*@"), OWNED_ADDRESS_NONE, STR("")},
        {STR("@*"), OWNED_ADDRESS_NONE, STR("")},
        {STR("b*b"), OWNED_ADDRESS_NONE, STR("")},
        {STR("*@m\xc3\xbcller.example"), OWNED_ADDRESS_FOREIGN, STR("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena, 4096);
        assert_int_equal(owned_address_check(cases[i].text), cases[i].want);
        if (cases[i].want_kept.n > 0)
            assert_true(str_equals(owned_address_keep(&arena, cases[i].text),
                                   cases[i].want_kept));
        arena_release(&arena);
    }
}

static void a_name_owns_itself_if_it_is_an_address_and_no_pattern(void **state)
{
    (void)state;
    static const struct {
        struct str name, want; /* n 0: nothing */
    } cases[] = {
        {STR("bob@Example.com"), STR("bob@example.com")},
        {STR("bob"), STR("")},
        {STR("*@example.com"), STR("")},
        {STR("b*@example.com"), STR("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct str *items = NULL;
        size_t count = 0;
        struct arena arena;
        arena_init(&arena, 4096);
        assert_int_equal(
            owned_address_of_name(&arena, cases[i].name, &items, &count), 0);
        assert_int_equal(count, cases[i].want.n > 0 ? 1 : 0);
        if (count > 0)
            assert_true(str_equals(items[0], cases[i].want));
        arena_release(&arena);
    }
}

static void without_memory_that_is_said(void **state)
{
    (void)state;
    const struct str *items = NULL;
    size_t count = 0;
    struct arena arena;
    arena_init(&arena, 1);
    assert_int_equal(
        owned_address_of_name(&arena, STR("a@b.example"), &items, &count), -1);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_back_ends_may_say_is_an_address_or_a_pattern),
        cmocka_unit_test(a_name_owns_itself_if_it_is_an_address_and_no_pattern),
        cmocka_unit_test(without_memory_that_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
