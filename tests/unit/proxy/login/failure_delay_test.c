#include "proxy/login/failure_delay.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define NET STR("192.0.2.1/32")
#define MOST_MS 15000

static void it_grows_with_each_failure_of_a_network(void **state)
{
    (void)state;
    static const uint64_t want[] = {0, 0, 1000, 2000, 4000, 8000, 15000, 15000};
    struct failure_delay *failures = failure_delay_new(16);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(
            failure_delay_note(failures, NET, STR(""), 1000, MOST_MS), want[i]);
    assert_int_equal(failure_delay_note(failures, STR("192.0.2.2/32"), STR(""),
                                        1000, MOST_MS),
                     0);
    failure_delay_free(failures);
}

static void wire_A09_it_grows_with_a_name_from_many_networks(void **state)
{
    (void)state;
    struct failure_delay *failures = failure_delay_new(64);
    uint64_t last = 0;
    for (int i = 0; i < 5; i++) {
        char net[32];
        snprintf(net, sizeof net, "192.0.2.%d/32", i);
        last = failure_delay_note(failures, str_from(net), STR("bob"), 1000,
                                  MOST_MS);
    }
    assert_int_equal(last, 4000);
    assert_int_equal(failure_delay_note(failures, STR("192.0.2.99/32"),
                                        STR("eve"), 1000, MOST_MS),
                     0);
    failure_delay_free(failures);
}

static void one_failure_is_forgotten_a_minute(void **state)
{
    (void)state;
    struct failure_delay *failures = failure_delay_new(16);
    for (int i = 0; i < 5; i++)
        failure_delay_note(failures, NET, STR(""), 1000, MOST_MS);
    assert_int_equal(
        failure_delay_note(failures, NET, STR(""), 1000 + 180000, MOST_MS),
        1000);
    assert_int_equal(
        failure_delay_note(failures, NET, STR(""), 1000 + 3600000, MOST_MS), 0);
    failure_delay_free(failures);
}

/* What a thousand guesses did is over an hour later. */
static void nobody_is_held_up_for_ever(void **state)
{
    (void)state;
    struct failure_delay *failures = failure_delay_new(16);
    for (int i = 0; i < 1000; i++)
        failure_delay_note(failures, NET, STR(""), 1000, MOST_MS);
    assert_int_equal(
        failure_delay_note(failures, NET, STR(""), 1000 + 3600000, MOST_MS), 0);
    failure_delay_free(failures);
}

static void without_a_delay_there_is_none(void **state)
{
    (void)state;
    struct failure_delay *failures = failure_delay_new(16);
    for (int i = 0; i < 10; i++)
        assert_int_equal(failure_delay_note(failures, NET, STR(""), 1000, 0),
                         0);
    failure_delay_free(failures);
}

static void strangers_can_not_make_it_grow_beyond_its_bounds(void **state)
{
    (void)state;
    struct failure_delay *failures = failure_delay_new(16);
    for (int i = 0; i < 10000; i++) {
        char net[32];
        snprintf(net, sizeof net, "net %d", i);
        failure_delay_note(failures, str_from(net), STR("bob"), 1000, MOST_MS);
    }
    failure_delay_free(failures);
}

#define WORKERS 4
#define EACH 10

static void *fail_often(void *failures)
{
    for (int i = 0; i < EACH; i++)
        failure_delay_note(failures, NET, STR("bob"), 1000, MOST_MS);
    return NULL;
}

/* No failure is lost: all of them are still remembered but one a minute. */
static void workers_count_together(void **state)
{
    (void)state;
    struct failure_delay *failures = failure_delay_new(16);
    pthread_t workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(
            pthread_create(&workers[i], NULL, fail_often, failures), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    uint64_t later_ms = 1000 + (WORKERS * EACH - 2) * UINT64_C(60000);
    assert_int_equal(
        failure_delay_note(failures, NET, STR(""), later_ms, MOST_MS), 1000);
    failure_delay_free(failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_with_each_failure_of_a_network),
        cmocka_unit_test(wire_A09_it_grows_with_a_name_from_many_networks),
        cmocka_unit_test(one_failure_is_forgotten_a_minute),
        cmocka_unit_test(nobody_is_held_up_for_ever),
        cmocka_unit_test(without_a_delay_there_is_none),
        cmocka_unit_test(strangers_can_not_make_it_grow_beyond_its_bounds),
        cmocka_unit_test(workers_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
