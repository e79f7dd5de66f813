/* The sketch is held against what it stands for: an exact count. */
#include "proxy/metrics/top_users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/base/utf8.h"

#define MINUTE UINT64_C(29800000)
#define USERS 5000

struct exact {
    uint64_t weight[USERS];
};

/* xorshift: the same numbers in each run. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Numbers of users are not spread: neighbours meet in the index. */
static uint64_t hash_of(size_t user)
{
    return (uint64_t)user * 3 + 1;
}

static void use(struct top_users *top, struct exact *exact, uint64_t minute,
                size_t user, uint64_t weight)
{
    char name[32];
    snprintf(name, sizeof name, "user%zu", user);
    const struct top_use one = {.hash = hash_of(user),
                                .name = str_from(name),
                                .weight = weight,
                                .messages = 1,
                                .recipients = weight};
    top_users_add(top, minute, &one);
    exact->weight[user] += weight;
}

static const struct top_user *find(const struct top_sum *sum, size_t user)
{
    for (size_t i = 0; i < sum->count; i++)
        if (sum->users[i].hash == hash_of(user))
            return &sum->users[i];
    return NULL;
}

static void check_promise(const struct top_sum *sum, const struct exact *exact)
{
    for (size_t user = 0; user < USERS; user++) {
        const struct top_user *told = find(sum, user);
        if (told == NULL) {
            assert_true(exact->weight[user] <= sum->missed);
            continue;
        }
        assert_true(exact->weight[user] <= told->weight);
        assert_true(told->weight <= exact->weight[user] + told->error);
    }
    for (size_t i = 1; i < sum->count; i++)
        assert_true(sum->users[i - 1].weight >= sum->users[i].weight);
}

/* A few send much, many send little; in some runs all send alike. */
static size_t some_user(uint64_t *state, int round)
{
    uint64_t number = next(state);
    if (round % 3 == 0)
        return (size_t)(number % USERS);
    size_t reach = number % 4 == 0 ? USERS : number % 4 == 1 ? 700 : 20;
    return (size_t)(next(state) % reach);
}

static void the_truth_is_within_the_error(void **state)
{
    (void)state;
    struct top_users *two[2] = {calloc(1, sizeof(struct top_users)),
                                calloc(1, sizeof(struct top_users))};
    struct exact *exact = calloc(1, sizeof *exact);
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 12; round++) {
        struct top_sum sum;
        memset(two[0], 0, sizeof *two[0]);
        memset(two[1], 0, sizeof *two[1]);
        memset(exact, 0, sizeof *exact);
        for (int i = 0; i < 30000; i++)
            use(two[i % 2], exact, MINUTE + (uint64_t)(i / 10000) * 10,
                some_user(&seed, round), 1 + next(&seed) % 9);
        top_sum_init(&sum);
        assert_int_equal(top_sum_add(&sum, two[0], MINUTE + 20), 0);
        assert_int_equal(top_sum_add(&sum, two[1], MINUTE + 20), 0);
        top_sum_finish(&sum);
        check_promise(&sum, exact);
        top_sum_release(&sum);
    }
    free(two[0]);
    free(two[1]);
    free(exact);
}

static void with_few_users_it_is_exact(void **state)
{
    (void)state;
    struct top_users *top = calloc(1, sizeof *top);
    struct exact exact = {0};
    struct top_sum sum;
    for (size_t i = 0; i < TOP_USERS_ROOM; i++)
        for (size_t n = 0; n <= i % 7; n++)
            use(top, &exact, MINUTE + i % 60, i, 2);
    top_sum_init(&sum);
    assert_int_equal(top_sum_add(&sum, top, MINUTE + 59), 0);
    top_sum_finish(&sum);
    assert_int_equal(sum.count, TOP_USERS_ROOM);
    for (size_t i = 0; i < sum.count; i++) {
        size_t user = (size_t)(sum.users[i].hash - 1) / 3;
        assert_int_equal(sum.users[i].error, 0);
        assert_int_equal(sum.users[i].weight, exact.weight[user]);
        assert_int_equal(sum.users[i].recipients, exact.weight[user]);
        assert_int_equal(sum.users[i].messages, 1 + user % 7);
    }
    top_sum_release(&sum);
    free(top);
}

/* Whoever sends more than a 512th of all can't be pushed out. */
static void the_one_who_floods_is_first(void **state)
{
    (void)state;
    struct top_users *top = calloc(1, sizeof *top);
    struct exact exact = {0};
    struct top_sum sum;
    for (size_t i = 0; i < 20000; i++) {
        use(top, &exact, MINUTE, 7 + i % (USERS - 7), 1);
        if (i % 20 == 0)
            use(top, &exact, MINUTE, 3, 10);
    }
    top_sum_init(&sum);
    assert_int_equal(top_sum_add(&sum, top, MINUTE), 0);
    top_sum_finish(&sum);
    assert_int_equal(sum.users[0].hash, hash_of(3));
    assert_memory_equal(sum.users[0].name, "user3", 5);
    top_sum_release(&sum);
    free(top);
}

static void an_hour_later_it_is_forgotten(void **state)
{
    (void)state;
    struct top_users *top = calloc(1, sizeof *top);
    struct exact exact = {0};
    struct top_sum sum;
    use(top, &exact, MINUTE, 1, 5);
    top_sum_init(&sum);
    assert_int_equal(top_sum_add(&sum, top, MINUTE + 59), 0);
    assert_int_equal(sum.count, 1);
    assert_int_equal(top_sum_add(&sum, top, MINUTE + 60), 0);
    assert_int_equal(sum.count, 1);
    /* The span is taken anew. */
    use(top, &exact, MINUTE + 60, 2, 1);
    sum.count = 0;
    assert_int_equal(top_sum_add(&sum, top, MINUTE + 60), 0);
    assert_int_equal(sum.count, 1);
    assert_int_equal(sum.users[0].hash, hash_of(2));
    top_sum_release(&sum);
    free(top);
}

/* Labels of a metric must differ, and be UTF-8. */
static void long_names_that_begin_alike_differ(void **state)
{
    (void)state;
    struct top_users *top = calloc(1, sizeof *top);
    struct top_sum sum;
    char name[101];
    assert_non_null(top);
    memset(name, 'n', sizeof name);
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xbc", 2);
    for (uint64_t user = 0; user < 2; user++) {
        struct top_use one = {.hash = 4711 + user,
                              .name = str_span(name, sizeof name),
                              .weight = 2 - user};
        top_users_add(top, MINUTE, &one);
    }
    top_sum_init(&sum);
    assert_int_equal(top_sum_add(&sum, top, MINUTE), 0);
    top_sum_finish(&sum);
    assert_int_equal(sum.count, 2);
    for (size_t i = 0; i < 2; i++) {
        struct str told = str_span(sum.users[i].name, sum.users[i].name_length);
        assert_true(told.n <= TOP_USERS_NAME);
        assert_true(utf8_is_valid(told));
        assert_memory_equal(told.p, name, 70);
        assert_true(str_equals(str_skip(told, 70),
                               i == 0 ? STR("~00001267") : STR("~00001268")));
    }
    top_sum_release(&sum);
    free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_is_within_the_error),
        cmocka_unit_test(with_few_users_it_is_exact),
        cmocka_unit_test(the_one_who_floods_is_first),
        cmocka_unit_test(an_hour_later_it_is_forgotten),
        cmocka_unit_test(long_names_that_begin_alike_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
