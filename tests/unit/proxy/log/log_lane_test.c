#include "proxy/log/log_lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_lane_says_when_it_is_over_half_full(void **state)
{
    (void)state;
    struct log_lane lane;
    struct line_queue taken;
    log_lane_init(&lane, 16);
    line_queue_init(&taken, 16);
    assert_int_equal(log_lane_push(&lane, STR("1234567"), false), 8);
    assert_false(log_lane_is_over_half_full(&lane));
    assert_int_equal(log_lane_push(&lane, STR("9"), false), 10);
    assert_true(log_lane_is_over_half_full(&lane));
    assert_int_equal(log_lane_take(&lane, &taken), 0);
    assert_false(log_lane_is_over_half_full(&lane));
    line_queue_release(&taken);
    log_lane_release(&lane);
}

static void a_sure_line_is_not_lost_where_others_are(void **state)
{
    (void)state;
    struct log_lane lane;
    struct line_queue taken;
    log_lane_init(&lane, 8);
    line_queue_init(&taken, 8);
    log_lane_push(&lane, STR("1234567"), false);
    assert_int_equal(log_lane_push(&lane, STR("lost"), false), 8);
    assert_int_equal(log_lane_push(&lane, STR("sure"), true), 13);
    assert_int_equal(log_lane_push(&lane, STR(""), true), 13);
    assert_int_equal(log_lane_take(&lane, &taken), 2);
    assert_true(str_equals(line_queue_lines(&taken), STR("1234567\nsure\n")));
    line_queue_release(&taken);
    log_lane_release(&lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_says_when_it_is_over_half_full),
        cmocka_unit_test(a_sure_line_is_not_lost_where_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
