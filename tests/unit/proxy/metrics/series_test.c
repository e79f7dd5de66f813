#include "proxy/metrics/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE UINT64_C(29800000)
#define THREADS 4

static struct series_table *make(void)
{
    struct series_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    assert_int_equal(series_table_init(table, false), 0);
    return table;
}

static void refused(struct series_table *table, const char *rule)
{
    const struct str labels[] = {STR("rcpt"), STR("defer"), str_from(rule)};
    series_add(table, SERIES_RULES, labels, MINUTE, 1);
}

static uint64_t count_of(const struct series_table *table, const char *rule)
{
    uint64_t count = 0;
    size_t at = 0, found = 0;
    const struct series *one;
    while ((one = series_next(table, SERIES_RULES, &at)) != NULL) {
        if (!str_equals(series_label(one, 2), str_from(rule)))
            continue;
        assert_true(str_equals(series_label(one, 0), STR("rcpt")));
        assert_true(str_equals(series_label(one, 1), STR("defer")));
        count = series_count(one);
        found++;
    }
    assert_true(found <= 1);
    return count;
}

static void names_count_by_themselves(void **state)
{
    (void)state;
    struct series_table *table = make();
    const struct str other[] = {STR("ok"), STR("PLAIN")};
    refused(table, "one");
    refused(table, "one");
    refused(table, "two");
    refused(table, "");
    series_add(table, SERIES_LOGINS, other, MINUTE, 1);
    assert_int_equal(count_of(table, "one"), 2);
    assert_int_equal(count_of(table, "two"), 1);
    assert_int_equal(count_of(table, ""), 1);
    assert_int_equal(count_of(table, "three"), 0);
    size_t at = 0;
    const struct series *login = series_next(table, SERIES_LOGINS, &at);
    assert_int_equal(series_count(login), 1);
    assert_int_equal(minutes_sum(&login->minutes, MINUTE), 1);
    assert_null(series_next(table, SERIES_LOGINS, &at));
    free(table);
}

/* "ab" + "c" is not "a" + "bc". */
static void where_labels_end_counts(void **state)
{
    (void)state;
    struct series_table *table = make();
    const struct str one[] = {STR("ab"), STR("c")};
    const struct str two[] = {STR("a"), STR("bc")};
    series_add(table, SERIES_LOGINS, one, MINUTE, 1);
    series_add(table, SERIES_LOGINS, two, MINUTE, 1);
    size_t at = 0;
    assert_int_equal(series_count(series_next(table, SERIES_LOGINS, &at)), 1);
    assert_int_equal(series_count(series_next(table, SERIES_LOGINS, &at)), 1);
    free(table);
}

static void what_does_not_fit_is_other(void **state)
{
    (void)state;
    struct series_table *table = make();
    const size_t many = 3 * series_shapes[SERIES_RULES].rows;
    char rule[32];
    for (size_t i = 0; i < many; i++) {
        snprintf(rule, sizeof rule, "rule %zu", i);
        refused(table, rule);
    }
    uint64_t sum = 0;
    size_t at = 0, rows = 0;
    const struct series *one;
    while ((one = series_next(table, SERIES_RULES, &at)) != NULL) {
        sum += series_count(one);
        rows++;
    }
    assert_int_equal(sum, many);
    assert_true(rows <= series_shapes[SERIES_RULES].rows);
    assert_true(count_of(table, "other") > many / 2);
    assert_int_equal(count_of(table, "rule 0"), 1);
    /* Other families have their own room. */
    const struct str end = STR("quit");
    series_add(table, SERIES_ENDS, &end, MINUTE, 1);
    at = 0;
    assert_non_null(series_next(table, SERIES_ENDS, &at));
    free(table);
}

static void a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    struct series_table *table = make();
    char rule[2 * SERIES_TEXT_MAX + 1] = "";
    for (size_t i = 0; i < SERIES_TEXT_MAX; i++)
        memcpy(rule + 2 * i, "\xc3\xa4", 2);
    refused(table, rule);
    size_t at = 0;
    struct str kept = series_label(series_next(table, SERIES_RULES, &at), 2);
    assert_int_equal(kept.n % 2, 0);
    assert_true(kept.n > SERIES_TEXT_MAX / 2 && kept.n < SERIES_TEXT_MAX);
    free(table);
}

static void shapes_fit(void **state)
{
    (void)state;
    size_t rows = 0;
    for (size_t i = 0; i < SERIES_FAMILIES; i++) {
        assert_true(series_shapes[i].labels <= SERIES_LABELS_MAX);
        rows += series_shapes[i].rows;
    }
    assert_true(rows <= SERIES_ROWS && SERIES_ROWS < SERIES_INDEX);
}

static void *count_all(void *argument)
{
    char rule[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(rule, sizeof rule, "rule %d", i % 300);
        refused(argument, rule);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct series_table *table = make();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_all, table),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t sum = 0;
    size_t at = 0, rows = 0;
    const struct series *one;
    while ((one = series_next(table, SERIES_RULES, &at)) != NULL) {
        sum += series_count(one);
        rows++;
    }
    assert_int_equal(sum, THREADS * 20000);
    assert_int_equal(rows, 300);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_count_by_themselves),
        cmocka_unit_test(where_labels_end_counts),
        cmocka_unit_test(what_does_not_fit_is_other),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(shapes_fit),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
