#include "rules/gram_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct found {
    size_t count[16];
};

static void note(void *owner, uint32_t number)
{
    struct found *found = owner;
    assert_in_range(number, 1, 15);
    found->count[number]++;
}

static struct found find(const struct gram_table *table, const char *text)
{
    struct found found = {{0}};
    gram_table_find(table, str_from(text), note, &found);
    return found;
}

static void texts_are_found_wherever_they_stand(void **state)
{
    struct gram_table table = {0};
    struct arena arena;
    (void)state;
    arena_init(&arena, 64 * 1024);
    assert_int_equal(gram_table_reserve(&table, &arena, 3), 0);
    gram_table_put(&table, gram_of("abc"), 1);
    gram_table_put(&table, gram_of("BCD"), 2);
    gram_table_put(&table, gram_of("-1-"), 3);
    static const struct {
        const char *text;
        size_t want[4];
    } cases[] = {
        {"", {0}},          {"ab", {0}},
        {"abc", {0, 1}},    {"xABCd", {0, 1, 1}},
        {"abcabc", {0, 2}}, {"x-1-", {0, 0, 0, 1}},
        {"ab cd", {0}},     {"\xe4-1-\xfc", {0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct found found = find(&table, cases[i].text);
        for (size_t k = 1; k < 4; k++)
            assert_int_equal(found.count[k], cases[i].want[k]);
    }
    arena_release(&arena);
}

static void one_text_may_have_several_numbers(void **state)
{
    struct gram_table table = {0};
    struct found found = {{0}};
    struct arena arena;
    (void)state;
    arena_init(&arena, 64 * 1024);
    assert_int_equal(gram_table_reserve(&table, &arena, 10), 0);
    for (uint32_t i = 1; i <= 10; i++)
        gram_table_put(&table, gram_of("same"), i);
    gram_table_find(&table, STR("all the same"), note, &found);
    for (size_t i = 1; i <= 10; i++)
        assert_int_equal(found.count[i], 1);
    gram_table_all(&table, note, &found);
    for (size_t i = 1; i <= 10; i++)
        assert_int_equal(found.count[i], 2);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_found_wherever_they_stand),
        cmocka_unit_test(one_text_may_have_several_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
