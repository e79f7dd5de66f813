#include "proxy/upstream/health_board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct upstream_settings UPSTREAMS[] = {
    {.index = 0, .server_count = 2},
    {.index = 1, .server_count = 0}, /* a Maildir */
    {.index = 2, .server_count = 1},
};

static const struct settings SETTINGS = {.upstreams = UPSTREAMS,
                                         .upstream_count = 3};

static void check_sum(struct health_board *board, size_t upstream,
                      size_t server, const struct health_sum *want)
{
    struct health_sum sum;
    health_board_sum(board, upstream, server, &sum);
    assert_int_equal(sum.up, want->up);
    assert_int_equal(sum.down, want->down);
    assert_int_equal(sum.unknown, want->unknown);
    assert_int_equal(sum.since_ms, want->since_ms);
    assert_string_equal(sum.fault, want->fault);
}

static void workers_may_differ(void **state)
{
    (void)state;
    struct health_board *board = health_board_new(&SETTINGS, 2);
    const struct health_place first = {board, 0, 2, 0},
                              second = {board, 1, 2, 0};
    check_sum(board, 2, 0, &(struct health_sum){.unknown = 2});
    health_board_post(&second, SERVER_UP, 1000, NULL);
    check_sum(board, 2, 0,
              &(struct health_sum){.up = 1, .unknown = 1, .since_ms = 1000});
    health_board_post(&first, SERVER_UP, 3000, NULL);
    check_sum(board, 2, 0, &(struct health_sum){.up = 2, .since_ms = 3000});
    health_board_post(&second, SERVER_DOWN, 2000, "it closed");
    check_sum(board, 2, 0,
              &(struct health_sum){
                  .up = 1, .down = 1, .since_ms = 2000, .fault = "it closed"});
    health_board_post(&first, SERVER_DOWN, 4000, "refused");
    health_board_post(&second, SERVER_DOWN, 2000, "refused too");
    check_sum(board, 2, 0,
              &(struct health_sum){
                  .down = 2, .since_ms = 2000, .fault = "refused too"});
    health_board_free(board);
}

static void each_server_has_its_place(void **state)
{
    (void)state;
    struct health_board *board = health_board_new(&SETTINGS, 1);
    const struct health_place places[] = {
        {board, 0, 0, 0}, {board, 0, 0, 1}, {board, 0, 2, 0}};
    for (size_t i = 0; i < 3; i++)
        health_board_post(&places[i], SERVER_UP, 100 + i, NULL);
    for (size_t i = 0; i < 3; i++)
        check_sum(board, places[i].upstream, places[i].server,
                  &(struct health_sum){.up = 1, .since_ms = 100 + i});
    health_board_free(board);
}

static void without_a_board_nothing_is_posted(void **state)
{
    (void)state;
    health_board_post(&(struct health_place){0}, SERVER_UP, 1, NULL);
    health_board_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_may_differ),
        cmocka_unit_test(each_server_has_its_place),
        cmocka_unit_test(without_a_board_nothing_is_posted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
