#include "proxy/log/line_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_next(struct line_queue *queue, const char *want)
{
    struct queued_line *line = line_queue_take(queue);
    assert_non_null(line);
    assert_int_equal(line->length, strlen(want));
    assert_memory_equal(line->text, want, line->length);
    free(line);
}

static void lines_come_out_in_order_with_one_end_each(void **state)
{
    (void)state;
    struct line_queue queue;
    line_queue_init(&queue, 1024);
    assert_int_equal(line_queue_push(&queue, STR("one")), 0);
    assert_int_equal(line_queue_push(&queue, STR("two\n")), 0);
    assert_next(&queue, "one\n");
    assert_int_equal(line_queue_push(&queue, STR("three")), 0);
    assert_next(&queue, "two\n");
    assert_next(&queue, "three\n");
    assert_null(line_queue_take(&queue));
    assert_int_equal(queue.octets, 0);
    assert_int_equal(line_queue_push(&queue, STR("four")), 0);
    line_queue_release(&queue);
}

static void a_full_queue_refuses_until_one_is_taken(void **state)
{
    (void)state;
    struct line_queue queue;
    line_queue_init(&queue, 2 * (sizeof(struct queued_line) + 4));
    assert_int_equal(line_queue_push(&queue, STR("abc")), 0);
    assert_int_equal(line_queue_push(&queue, STR("def")), 0);
    assert_int_equal(line_queue_push(&queue, STR("")), -1);
    assert_next(&queue, "abc\n");
    assert_int_equal(line_queue_push(&queue, STR("ghij")), -1);
    assert_int_equal(line_queue_push(&queue, STR("ghi")), 0);
    line_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_in_order_with_one_end_each),
        cmocka_unit_test(a_full_queue_refuses_until_one_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
