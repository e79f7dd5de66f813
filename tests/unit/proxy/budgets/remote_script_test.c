/* Keys of a shared store, and what can't be what a script told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proxy/budgets/remote_script.h"
#include "rules/limit.h"
#include "rules/rule.h"

static void assert_key(const char *key, size_t length, const char *want)
{
    if (length != strlen(want) || memcmp(key, want, length) != 0)
        fail_msg("the key is \"%.*s\", not \"%s\"", (int)length, key, want);
}

static void keys_are_named_as_people_know_them(void **state)
{
    struct rule rule = {.name = STR("recipients an hour")};
    struct limit limit = {.unit = UNIT_RECIPIENTS};
    char key[REMOTE_KEY_MAX];
    (void)state;
    size_t n = remote_budget_key(&rule, &limit, STR("bob@example.com"), key);
    assert_key(key, n,
               "postern:{recipients an hour|recipients|bob@example.com}");
    n = remote_budget_key(&rule, &limit, STR(""), key);
    assert_key(key, n, "postern:{recipients an hour|recipients|}");
    n = remote_list_key(STR("contained"), key);
    assert_key(key, n, "postern:list:{contained}");
    n = remote_known_key(STR("j\xc3\xb6rg"), key);
    assert_key(key, n, "postern:known:{j\xc3\xb6rg}");
}

/* Braces decide where in a cluster a key lies. */
static void what_means_something_is_escaped(void **state)
{
    struct rule rule = {.name = STR("a {b}|c")};
    struct limit limit = {.unit = UNIT_MESSAGES};
    char key[REMOTE_KEY_MAX];
    (void)state;
    size_t n = remote_budget_key(&rule, &limit, STR("x}\r\n%{\x7f"), key);
    assert_key(key, n, "postern:{a %7Bb%7D%7Cc|messages|x%7D%0D%0A%25%7B%7F}");
}

static void keys_that_differ_stay_different_and_bounded(void **state)
{
    struct rule rule = {.name = STR("r")};
    struct limit limit = {.unit = UNIT_MESSAGES};
    char text[4096], one[REMOTE_KEY_MAX], two[REMOTE_KEY_MAX];
    (void)state;
    memset(text, '{', sizeof text);
    size_t n =
        remote_budget_key(&rule, &limit, str_span(text, sizeof text), one);
    assert_true(n < REMOTE_KEY_MAX);
    assert_int_equal(one[n - 1], '}');
    text[sizeof text - 1] = '}';
    size_t m =
        remote_budget_key(&rule, &limit, str_span(text, sizeof text), two);
    assert_int_equal(n, m);
    assert_memory_not_equal(one, two, n);
    rule.name = str_span(text, sizeof text);
    n = remote_budget_key(&rule, &limit, str_span(text, sizeof text), one);
    assert_true(n < REMOTE_KEY_MAX);
    assert_int_equal(one[n - 1], '}');
}

static uint64_t some_number(void)
{
    static const uint64_t EDGES[] = {0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     1000,
                                     UINT64_C(1) << 53,
                                     (UINT64_C(1) << 53) + 1,
                                     INT64_MAX,
                                     INT64_MAX - 1};
    return rand() % 2 == 0 ? EDGES[rand() % 10] : (uint64_t)rand();
}

/* Whatever is at the other end: an answer or a refusal, and no harm. */
static void strange_numbers_do_no_harm(void **state)
{
    static const struct rate RATES[] = {
        {1, 1}, {500, 3600000}, {5, 0}, {UINT64_C(1) << 53, 31622400000}};
    struct rule rule = {.name = STR("r")};
    size_t answered = 0;
    (void)state;
    srand(1);
    for (int i = 0; i < 200000; i++) {
        struct remote_told told = {.count = (size_t)rand() % 3 == 0
                                                ? (size_t)rand() % 12
                                                : (i % 2 == 0 ? 7 : 11)};
        struct limit limit = {.unit = i % 3 == 0   ? UNIT_NETWORKS
                                      : i % 3 == 1 ? UNIT_CONNECTIONS
                                                   : UNIT_NEW_RECIPIENTS,
                              .rate = RATES[rand() % 4],
                              .value = i % 5 == 0 ? (void *)&limit : NULL,
                              .burst = (uint64_t)rand() % 9};
        struct ledger_target target = {&rule, &limit, STR("k")};
        struct ledger_budget budget;
        struct answer answer;
        bool has_member = true;
        for (size_t n = 0; n < told.count; n++)
            told.numbers[n] = some_number();
        answered +=
            remote_read_hold(&told, some_number(), &RATES[rand() % 4],
                             rand() % 2 == 0, &answer, &has_member) == 0;
        answered += remote_read_look(&told, &target, &budget) >= 0;
    }
    assert_true(answered > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_named_as_people_know_them),
        cmocka_unit_test(what_means_something_is_escaped),
        cmocka_unit_test(keys_that_differ_stay_different_and_bounded),
        cmocka_unit_test(strange_numbers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
