#include "proxy/metrics/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/budgets/connection_counts.h"
#include "proxy/metrics/metrics_internal.h"

#define US (UINT64_C(29800000) * 60000000)
#define THREADS 4
#define ROUNDS 5000

/* One of everything, on a thread. */
static void count(struct metrics_lane *lane)
{
    const struct top_use use = {
        .name = STR("bob"), .weight = 3, .messages = 1, .recipients = 2};
    struct metrics_server *server =
        metrics_server(lane, STR("mta"), STR("127.0.0.1:25"));
    metrics_add(lane, METRIC_ACCEPTED, 1);
    metrics_add_minute(lane, MINUTES_ACCEPT, US);
    metrics_add_policy(lane, 7);
    metrics_add_use(lane, &use, US);
    METRICS_ADD_SERIES(lane, SERIES_ENDS, US, STR("quit"));
    metrics_server_opened(server);
    metrics_server_took(server, LATENCY_END, 3000, US);
    metrics_tell_lag(lane, 100, US);
}

static void check(struct metrics *metrics, uint64_t times)
{
    uint64_t minutes[MINUTES] = {0};
    struct histogram_sum policy = {0};
    struct metrics_server_sum server;
    struct top_sum users;
    size_t at = 0;
    assert_int_equal(metrics_sum(metrics, METRIC_ACCEPTED), times);
    metrics_minutes(metrics, MINUTES_ACCEPT, metrics_minute_of(US), minutes);
    assert_int_equal(minutes[MINUTES - 1], times);
    metrics_policy(metrics, &policy);
    assert_int_equal(policy.count, times);
    assert_true(
        metrics_server_next(metrics, &at, metrics_minute_of(US), &server));
    assert_true(str_equals(server.upstream, STR("mta")));
    assert_true(str_equals(server.server, STR("127.0.0.1:25")));
    assert_int_equal(server.opened, times);
    assert_int_equal(server.latency[LATENCY_END].count, times);
    assert_false(
        metrics_server_next(metrics, &at, metrics_minute_of(US), &server));
    at = 0;
    const struct series *end =
        series_next(metrics_series(metrics), SERIES_ENDS, &at);
    assert_int_equal(series_count(end), times);
    top_sum_init(&users);
    assert_int_equal(metrics_top_users(metrics, metrics_minute_of(US), &users),
                     0);
    assert_int_equal(users.count, 1);
    assert_int_equal(users.users[0].messages, times);
    assert_int_equal(users.users[0].recipients, 2 * times);
    top_sum_release(&users);
}

static void without_a_lane_nothing_is_counted(void **state)
{
    (void)state;
    count(NULL);
}

struct task {
    struct metrics *metrics;
    size_t number;
};

static void *count_often(void *argument)
{
    const struct task *task = argument;
    struct metrics_lane *lane = metrics_lane_new(task->metrics, task->number);
    for (int i = 0; i < ROUNDS; i++)
        count(lane);
    metrics_lane_free(lane);
    return NULL;
}

/* Two of them share a row. */
static void threads_lose_nothing(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct task tasks[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        tasks[i] = (struct task){metrics, i == 3 ? 16 : i};
        assert_int_equal(
            pthread_create(&threads[i], NULL, count_often, &tasks[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check(metrics, (uint64_t)THREADS * ROUNDS);
    metrics_free(metrics);
}

static void another_process_goes_on(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_create(0);
    struct metrics_lane *lane = metrics_lane_new(metrics, 0);
    count(lane);
    pid_t child = fork();
    if (child == 0) {
        struct metrics *same = metrics_attach(metrics_memory(metrics), 1);
        struct metrics_lane *other = metrics_lane_new(same, 0);
        struct metrics_pool told = {0};
        count(other);
        metrics_server_tell(
            other, metrics_server(other, STR("mta"), STR("127.0.0.1:25")),
            &told, (struct metrics_pool){3, 2});
        metrics_tell_held(other, 1000);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    struct metrics *third = metrics_attach(metrics_memory(metrics), 2);
    assert_non_null(third);
    struct metrics_server_sum server;
    size_t at = 0;
    check(third, 2);
    assert_int_equal(metrics_held(third), 1000);
    assert_true(metrics_server_next(third, &at, 0, &server));
    assert_int_equal(server.in_use, 3);
    assert_int_equal(server.idle, 2);
    /* What the dead one had, nobody has; what it counted stays. */
    metrics_forget(third, 1);
    at = 0;
    assert_true(metrics_server_next(third, &at, 0, &server));
    assert_int_equal(server.in_use, 0);
    assert_int_equal(server.idle, 0);
    assert_int_equal(metrics_held(third), 0);
    check(third, 2);
    metrics_free(third);
    metrics_lane_free(lane);
    metrics_free(metrics);
}

/* Killed at any moment, it leaves numbers that go on. */
static void a_death_in_between_harms_nobody(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_create(0);
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct metrics *same = metrics_attach(metrics_memory(metrics), 1);
            struct metrics_lane *other = metrics_lane_new(same, 0);
            for (;;)
                count(other);
        }
        while (metrics_sum(metrics, METRIC_ACCEPTED) <
               (uint64_t)(round + 1) * 50)
            (void)usleep(100);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct metrics *next = metrics_attach(metrics_memory(metrics), 1);
        struct metrics_lane *lane = metrics_lane_new(next, 1);
        struct top_sum users;
        count(lane);
        top_sum_init(&users);
        assert_int_equal(metrics_top_users(next, metrics_minute_of(US), &users),
                         0);
        assert_int_equal(users.count, 1);
        top_sum_release(&users);
        metrics_lane_free(lane);
        metrics_free(next);
    }
    metrics_free(metrics);
}

/* The worst moments: within the sketch, and between the index of names and
 * their count. */
static void what_was_half_done_is_put_right(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_create(0);
    struct metrics_lane *lane = metrics_lane_new(metrics, 0);
    METRICS_ADD_SERIES(lane, SERIES_ENDS, US, STR("quit"));
    pid_t child = fork();
    if (child == 0) {
        struct metrics_memory *at = metrics->at;
        (void)robust_lock_take(&at->users[0].lock, LOCK_TO_CHANGE);
        struct top_span *span =
            &at->users[0].top.spans[(US / 600000000) % TOP_USERS_SPANS];
        span->number = US / 600000000;
        span->used = 7;
        at->has_users[0] = true;
        (void)robust_lock_take(&at->series.lock, LOCK_TO_CHANGE);
        size_t place = 0;
        while (at->series.index[place] != 0)
            place++;
        at->series.rows[1].family = SERIES_CAPS;
        at->series.index[place] = 2;
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    struct top_sum users;
    top_sum_init(&users);
    assert_int_equal(metrics_top_users(metrics, metrics_minute_of(US), &users),
                     0);
    assert_int_equal(users.count, 0);
    top_sum_release(&users);
    METRICS_ADD_SERIES(lane, SERIES_ENDS, US, STR("client"));
    size_t at = 0;
    const struct series_table *table = metrics_series(metrics);
    const struct series *first = series_next(table, SERIES_ENDS, &at);
    const struct series *second = series_next(table, SERIES_ENDS, &at);
    assert_true(str_equals(series_label(first, 0), STR("quit")));
    assert_true(str_equals(series_label(second, 0), STR("client")));
    assert_ptr_equal(second, &table->rows[2]);
    metrics_lane_free(lane);
    metrics_free(metrics);
}

static void what_is_no_such_memory_is_refused(void **state)
{
    (void)state;
    struct connection_counts *counts = connection_counts_create(10, 10, 0);
    errno = 7;
    assert_null(metrics_attach(connection_counts_memory(counts), 0));
    assert_int_equal(errno, 0);
    connection_counts_free(counts);
}

static void servers_beyond_the_room_are_other(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metrics_lane *lane = metrics_lane_new(metrics, 0);
    char name[16] = "";
    for (int i = 0; i < 300; i++) {
        name[0] = (char)('a' + i / 26);
        name[1] = (char)('a' + i % 26);
        metrics_server_opened(metrics_server(lane, STR("mta"), str_from(name)));
    }
    struct metrics_server_sum sum;
    size_t at = 0, count = 0;
    uint64_t opened = 0;
    while (metrics_server_next(metrics, &at, 0, &sum)) {
        opened += sum.opened;
        count++;
    }
    assert_int_equal(count, 256);
    assert_int_equal(opened, 300);
    assert_true(str_equals(sum.server, STR("other")));
    metrics_lane_free(lane);
    metrics_free(metrics);
}

static void the_worst_lag_of_two_minutes(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metrics_lane *lane = metrics_lane_new(metrics, 0);
    metrics_tell_lag(lane, 900, US);
    metrics_tell_lag(lane, 5, US + 1);
    struct metrics_lag lag = metrics_lag(metrics, US + 60000000);
    assert_int_equal(lag.last_us, 5);
    assert_int_equal(lag.max_us, 900);
    assert_int_equal(metrics_lag(metrics, US + 2 * 60000000).max_us, 0);
    metrics_lane_free(lane);
    metrics_free(metrics);
}

static void the_last_differences_are_kept(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct metrics_lane *lane = metrics_lane_new(metrics, 0);
    struct shadow_note notes[SHADOW_NOTES];
    assert_int_equal(metrics_shadow_notes(metrics, notes), 0);
    for (uint64_t i = 1; i <= SHADOW_NOTES + 3; i++)
        metrics_note_shadow(lane, &(struct shadow_note){.us = i});
    assert_int_equal(metrics_shadow_notes(metrics, notes), SHADOW_NOTES);
    assert_int_equal(notes[0].us, SHADOW_NOTES + 3);
    assert_int_equal(notes[SHADOW_NOTES - 1].us, 4);
    metrics_lane_free(lane);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_lane_nothing_is_counted),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(another_process_goes_on),
        cmocka_unit_test(a_death_in_between_harms_nobody),
        cmocka_unit_test(what_was_half_done_is_put_right),
        cmocka_unit_test(what_is_no_such_memory_is_refused),
        cmocka_unit_test(servers_beyond_the_room_are_other),
        cmocka_unit_test(the_worst_lag_of_two_minutes),
        cmocka_unit_test(the_last_differences_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
