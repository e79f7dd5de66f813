/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "rules/budget_table.h"
#include "rules/dynamic_list.h"

static const uint8_t SECRET[16] = "a secret of ours";

static struct expiring_key key_of(unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    struct str part = str_from(text);
    return expiring_key(SECRET, &part, 1);
}

static void where_one_text_ends_and_the_next_begins_counts(void **state)
{
    struct str a[] = {STR_INIT("ab"), STR_INIT("c")};
    struct str b[] = {STR_INIT("a"), STR_INIT("bc")};
    (void)state;
    assert_int_not_equal(expiring_key(SECRET, a, 2).words[0],
                         expiring_key(SECRET, b, 2).words[0]);
    assert_int_not_equal(expiring_key(SECRET, a, 2).words[0],
                         expiring_key(SECRET, a, 2).words[1]);
    assert_int_not_equal(expiring_key(SECRET, a, 1).words[0],
                         expiring_key(SECRET, a, 2).words[0]);
}

static void the_first_to_expire_makes_room(void **state)
{
    struct expiring_table *table = expiring_table_new(4, sizeof(int));
    (void)state;
    assert_non_null(table);
    for (unsigned i = 0; i < 4; i++) {
        struct expiring_key key = key_of(i);
        int *payload = expiring_table_make(table, &key, 0);
        assert_non_null(payload);
        *payload = (int)i;
        expiring_table_set(table, payload, 100 - 10 * i);
    }
    struct expiring_key more = key_of(9);
    assert_null(expiring_table_make(table, &more, 69));
    int *payload = expiring_table_make(table, &more, 70);
    assert_non_null(payload);
    assert_int_equal(*payload, 0);
    struct expiring_key gone = key_of(3), stays = key_of(2);
    assert_null(expiring_table_find(table, &gone));
    payload = expiring_table_find(table, &stays);
    assert_int_equal(*payload, 2);
    expiring_table_free(table);
}

/* Against a plain array, with random keys, expiries and a moving clock. */
static void it_behaves_like_a_plain_array(void **state)
{
    enum { MAX = 37, KEYS = 100 };
    struct expiring_table *table = expiring_table_new(MAX, sizeof(unsigned));
    uint64_t expiry[KEYS];
    bool is_in[KEYS] = {false};
    unsigned seed = 12345, live = 0;
    (void)state;
    assert_non_null(table);
    for (unsigned step = 0; step < 50000; step++) {
        uint64_t now = step;
        unsigned k = (unsigned)rand_r(&seed) % KEYS;
        struct expiring_key key = key_of(k);
        unsigned *payload = expiring_table_make(table, &key, now);
        if (!is_in[k]) {
            unsigned first = KEYS;
            for (unsigned i = 0; i < KEYS; i++)
                if (is_in[i] && expiry[i] <= now &&
                    (first == KEYS || expiry[i] < expiry[first]))
                    first = i;
            assert_int_equal(payload != NULL, live < MAX || first < KEYS);
            if (payload == NULL)
                continue;
            /* Which of several that expire together goes is free. */
            for (unsigned i = 0; first < KEYS && i < KEYS; i++) {
                struct expiring_key other = key_of(i);
                if (is_in[i] && expiring_table_find(table, &other) == NULL) {
                    assert_true(expiry[i] == expiry[first]);
                    is_in[i] = false;
                    live--;
                }
            }
            is_in[k] = true;
            live++;
            *payload = k;
        }
        assert_int_equal(*payload, k);
        expiry[k] = now + (unsigned)rand_r(&seed) % 200;
        expiring_table_set(table, payload, expiry[k]);
        assert_true(live <= MAX);
        assert_true(expiring_table_count(table) <= MAX);
    }
    expiring_table_free(table);
}

static void wire_O08_a_key_in_debt_or_holding_is_never_forgotten(void **state)
{
    struct budget_table *table = budget_table_new(3);
    struct rate rate = {1, 1000};
    struct gcra_result result;
    (void)state;
    assert_non_null(table);
    struct expiring_key held = key_of(1), used = key_of(2), idle = key_of(3);
    budget_table_hold(table, &held, &rate, 5, 1, 0, 0, &result);
    budget_table_charge(table, &used, &rate, 5, 5, 0, &result);
    budget_table_hold(table, &idle, &rate, 5, 1, 0, 0, &result);
    budget_table_give_back(table, &idle, &rate, 1, 0);
    /* A flood of new keys gets the one idle place and nothing more. */
    for (unsigned i = 10; i < 1000; i++) {
        struct expiring_key key = key_of(i);
        budget_table_hold(table, &key, &rate, 5, 1, 0, 100, &result);
        assert_int_equal(result.is_within, i == 10);
        assert_int_equal(result.retry_after_ms, i == 10 ? 0 : 1000);
    }
    budget_table_hold(table, &used, &rate, 5, 1, 0, 100, &result);
    assert_false(result.is_within);
    budget_table_hold(table, &held, &rate, 5, 5, 0, 100, &result);
    assert_false(result.is_within);
    assert_int_equal(result.before, 1);
    /* Debt that has drained makes room again. */
    struct expiring_key late = key_of(2000);
    budget_table_hold(table, &late, &rate, 5, 1, 0, 6000, &result);
    assert_true(result.is_within);
    budget_table_free(table);
}

static bool add(struct dynamic_list *list, unsigned number, uint64_t until_ms,
                uint64_t now_ms)
{
    struct dynamic_value value = {.key = key_of(number),
                                  .list = STR("contained"),
                                  .value = STR("bob"),
                                  .until_ms = until_ms};
    return dynamic_list_add(list, &value, now_ms);
}

static void listed_values_expire_and_can_be_removed(void **state)
{
    struct dynamic_list *list = dynamic_list_new(2);
    struct expiring_key a = key_of(1), b = key_of(2);
    (void)state;
    assert_non_null(list);
    assert_false(dynamic_list_holds(list, &a, 0));
    assert_true(add(list, 1, 100, 0));
    assert_true(dynamic_list_holds(list, &a, 99));
    assert_false(dynamic_list_holds(list, &a, 100));
    /* Added again: the longer time stays. */
    assert_true(add(list, 1, 1000, 0));
    assert_true(add(list, 1, 10, 0));
    assert_true(dynamic_list_holds(list, &a, 999));
    assert_true(add(list, 2, UINT64_MAX, 0));
    assert_true(dynamic_list_holds(list, &b, UINT64_MAX - 1));
    /* Full of what still counts: nothing is forgotten for a new one. */
    assert_false(add(list, 3, 110, 10));
    assert_true(dynamic_list_holds(list, &a, 10));
    dynamic_list_remove(list, &b);
    assert_false(dynamic_list_holds(list, &b, 10));
    assert_false(dynamic_list_take_lost(list));
    assert_true(add(list, 3, 110, 10));
    /* The removal made room before anyone took note of it. */
    assert_true(dynamic_list_take_lost(list));
    assert_false(dynamic_list_take_lost(list));
    dynamic_list_free(list);
}

static void long_values_are_not_listed(void **state)
{
    static const char LONG[DYNAMIC_LIST_VALUE_MAX + 1];
    struct dynamic_list *list = dynamic_list_new(2);
    struct dynamic_value value = {.key = key_of(1),
                                  .list = STR("contained"),
                                  .value = str_span(LONG, sizeof LONG),
                                  .until_ms = 100};
    (void)state;
    assert_non_null(list);
    assert_false(dynamic_list_add(list, &value, 0));
    value.value.n--;
    assert_true(dynamic_list_add(list, &value, 0));
    value.list = str_span(LONG, DYNAMIC_LIST_NAME_MAX + 1);
    value.key = key_of(2);
    assert_false(dynamic_list_add(list, &value, 0));
    dynamic_list_free(list);
}

static void what_was_touched_is_taken_once(void **state)
{
    struct expiring_table *table = expiring_table_new(4, sizeof(int));
    struct expiring_key a = key_of(1), b = key_of(2);
    (void)state;
    assert_non_null(table);
    void *first = expiring_table_make(table, &a, 0);
    expiring_table_touch(table, first); /* nobody watches yet */
    assert_null(expiring_table_take_touched(table));
    expiring_table_watch(table);
    void *second = expiring_table_make(table, &b, 0);
    for (int i = 0; i < 3; i++) {
        expiring_table_touch(table, first);
        expiring_table_touch(table, second);
    }
    const void *one = expiring_table_take_touched(table);
    const void *other = expiring_table_take_touched(table);
    assert_true((one == first && other == second) ||
                (one == second && other == first));
    assert_null(expiring_table_take_touched(table));
    expiring_table_touch(table, first);
    assert_ptr_equal(expiring_table_take_touched(table), first);
    expiring_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_one_text_ends_and_the_next_begins_counts),
        cmocka_unit_test(the_first_to_expire_makes_room),
        cmocka_unit_test(it_behaves_like_a_plain_array),
        cmocka_unit_test(wire_O08_a_key_in_debt_or_holding_is_never_forgotten),
        cmocka_unit_test(listed_values_expire_and_can_be_removed),
        cmocka_unit_test(long_values_are_not_listed),
        cmocka_unit_test(what_was_touched_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
