#include "config/file_stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void whatever_is_done_to_a_file_shows(void **state)
{
    (void)state;
    char path[] = "/tmp/file_stamp_test_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct file_stamp before = file_stamp_at(path);
    struct file_stamp now = file_stamp_at(path);
    assert_true(file_stamp_equals(&before, &now));
    dprintf(fd, "x");
    now = file_stamp_at(path);
    assert_false(file_stamp_equals(&before, &now));
    close(fd);
    unlink(path);
    now = file_stamp_at(path);
    assert_true(file_stamp_equals(&now, &(struct file_stamp){0}));
}

static void a_stamp_tells_all_its_parts_apart(void **state)
{
    (void)state;
    static const struct file_stamp one = {1, 2, 3, 4, 5};
    static const struct file_stamp others[] = {
        {9, 2, 3, 4, 5}, {1, 9, 3, 4, 5}, {1, 2, 9, 4, 5},
        {1, 2, 3, 9, 5}, {1, 2, 3, 4, 9},
    };
    assert_true(file_stamp_equals(&one, &one));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(file_stamp_equals(&one, &others[i]));
}

static void a_file_rests_when_its_last_change_is_old_enough(void **state)
{
    (void)state;
    static const struct {
        struct timespec now;
        bool want;
    } cases[] = {
        {{100, 900000000}, false}, {{100, 949999999}, false},
        {{100, 950000000}, true},  {{101, 0}, true},
        {{100, 899999999}, false}, {{100, 800000000}, true},
        {{99, 0}, true},
    };
    static const struct file_stamp stamp = {.seconds = 100,
                                            .nanoseconds = 900000000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(file_stamp_rests(&stamp, &cases[i].now, 50),
                         cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_done_to_a_file_shows),
        cmocka_unit_test(a_stamp_tells_all_its_parts_apart),
        cmocka_unit_test(a_file_rests_when_its_last_change_is_old_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
