#include "proxy/log/line_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_lines(const struct line_queue *queue, const char *want)
{
    struct str lines = line_queue_lines(queue);
    assert_int_equal(lines.n, strlen(want));
    if (lines.n > 0)
        assert_memory_equal(lines.p, want, lines.n);
}

static void lines_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct line_queue queue, taken;
    line_queue_init(&queue, 1024);
    line_queue_init(&taken, 1024);
    assert_int_equal(line_queue_push(&queue, STR("one")), 0);
    assert_int_equal(line_queue_push(&queue, STR("two\n")), 0);
    line_queue_move(&queue, &taken);
    assert_int_equal(line_queue_push(&queue, STR("three")), 0);
    assert_lines(&taken, "one\ntwo\n");
    assert_lines(&queue, "three\n");
    line_queue_clear(&taken);
    assert_lines(&taken, "");
    line_queue_move(&queue, &taken);
    assert_lines(&taken, "three\n");
    line_queue_release(&queue);
    line_queue_release(&taken);
}

static void a_full_queue_takes_no_line(void **state)
{
    (void)state;
    struct line_queue queue;
    line_queue_init(&queue, 8);
    assert_int_equal(line_queue_push(&queue, STR("abc")), 0);
    assert_int_equal(line_queue_push(&queue, STR("defg")), -1);
    assert_int_equal(line_queue_push(&queue, STR("def")), 0);
    assert_int_equal(line_queue_push(&queue, STR("")), -1);
    assert_lines(&queue, "abc\ndef\n");
    line_queue_clear(&queue);
    assert_int_equal(line_queue_push(&queue, STR("ghij")), 0);
    line_queue_release(&queue);
}

static void a_sure_line_has_room_beyond_the_cap(void **state)
{
    (void)state;
    struct line_queue queue;
    line_queue_init(&queue, 8);
    assert_int_equal(line_queue_push(&queue, STR("abcdef")), 0);
    assert_int_equal(line_queue_push_over(&queue, STR("ghij\n")), 0);
    assert_int_equal(line_queue_push(&queue, STR("k")), -1);
    assert_int_equal(line_queue_push_over(&queue, STR("lm")), 0);
    assert_lines(&queue, "abcdef\nghij\nlm\n");
    line_queue_release(&queue);
}

static void what_only_a_burst_needed_is_given_back(void **state)
{
    (void)state;
    static const char large[1024 * 1024];
    struct line_queue queue;
    line_queue_init(&queue, 2 * sizeof large);
    assert_int_equal(line_queue_push(&queue, str_span(large, sizeof large)), 0);
    line_queue_clear(&queue);
    assert_int_equal(queue.capacity, 0);
    assert_int_equal(line_queue_push(&queue, STR("one")), 0);
    line_queue_clear(&queue);
    assert_true(queue.capacity > 0);
    line_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_leave_in_the_order_they_came),
        cmocka_unit_test(a_full_queue_takes_no_line),
        cmocka_unit_test(a_sure_line_has_room_beyond_the_cap),
        cmocka_unit_test(what_only_a_burst_needed_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
