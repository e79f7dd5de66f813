#include "proxy/log/log_tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[96];
static char rotated[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/log_tail_test_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(rotated, sizeof rotated, "%s/log.1", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(rotated);
    return rmdir(folder);
}

static void append(const char *name, const char *text)
{
    FILE *file = fopen(name, "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_next(struct log_tail *tail, const char *want)
{
    struct str line;
    enum tail_next next = log_tail_next(tail, &line);
    if (want == NULL) {
        assert_int_equal(next, TAIL_END);
        return;
    }
    assert_int_equal(next, TAIL_LINE);
    assert_int_equal(line.n, strlen(want));
    assert_memory_equal(line.p, want, line.n);
}

static void a_line_comes_when_it_is_whole(void **state)
{
    (void)state;
    struct log_tail tail;
    const char *octets = "one\n\nthree\n";
    log_tail_init(&tail, path);
    append(path, "");
    assert_int_equal(log_tail_open(&tail), 0);
    for (const char *p = octets; *p != '\0'; p++) {
        const char one[2] = {*p, '\0'};
        append(path, one);
        if (*p != '\n')
            assert_next(&tail, NULL);
        else if (p == octets + 3)
            assert_next(&tail, "one");
        else if (p == octets + 4)
            assert_next(&tail, "");
        else
            assert_next(&tail, "three");
    }
    assert_int_equal(tail.line, 3);
    append(path, "torn");
    assert_next(&tail, NULL);
    assert_int_equal(log_tail_torn(&tail), 4);
    log_tail_release(&tail);
}

static void it_goes_on_at_a_place(void **state)
{
    (void)state;
    struct log_tail tail;
    log_tail_init(&tail, path);
    append(path, "one\ntwo\nthree\nto");
    assert_int_equal(log_tail_open(&tail), 0);
    assert_int_equal(log_tail_place(&tail), 0);
    assert_next(&tail, "one");
    assert_int_equal(log_tail_place(&tail), 4);
    assert_next(&tail, "two");
    assert_next(&tail, "three");
    assert_next(&tail, NULL);
    assert_int_equal(log_tail_place(&tail), 14); /* before what is torn */
    assert_int_equal(log_tail_seek(&tail, 4), 0);
    assert_next(&tail, "two");
    assert_int_equal(tail.line, 1);
    log_tail_release(&tail);
}

/* Of 17 octets: where a line begins, and within one. */
static void the_end_is_reached_without_the_beginning(void **state)
{
    (void)state;
    static const struct {
        uint64_t octets;
        const char *want;
    } cases[] = {{100, "one"},  {17, "one"},  {16, "two"}, {13, "two"},
                 {12, "three"}, {9, "three"}, {8, NULL},   {0, NULL}};
    append(path, "one\ntwo\nthree\nend");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct log_tail tail;
        log_tail_init(&tail, path);
        assert_int_equal(log_tail_open(&tail), 0);
        assert_int_equal(log_tail_skip_to_end(&tail, cases[i].octets), 0);
        assert_next(&tail, cases[i].want);
        log_tail_release(&tail);
    }
}

static void a_rotation_is_followed_without_losing_a_line(void **state)
{
    (void)state;
    struct log_tail tail;
    bool is_new;
    log_tail_init(&tail, path);
    append(path, "one\n");
    assert_int_equal(log_tail_open(&tail), 0);
    assert_next(&tail, "one");
    assert_next(&tail, NULL);
    assert_false(log_tail_follow(&tail, &is_new));
    assert_int_equal(rename(path, rotated), 0);
    assert_false(log_tail_follow(&tail, &is_new));
    append(rotated, "two\n");
    append(path, "three\n");
    assert_true(log_tail_follow(&tail, &is_new));
    assert_false(is_new);
    assert_next(&tail, "two");
    assert_next(&tail, NULL);
    assert_true(log_tail_follow(&tail, &is_new));
    assert_true(is_new);
    assert_next(&tail, "three");
    assert_int_equal(tail.line, 1);
    log_tail_release(&tail);
}

static void a_truncation_begins_anew(void **state)
{
    (void)state;
    struct log_tail tail;
    bool is_new;
    log_tail_init(&tail, path);
    append(path, "one\ntor");
    assert_int_equal(log_tail_open(&tail), 0);
    assert_next(&tail, "one");
    assert_next(&tail, NULL);
    assert_int_equal(truncate(path, 0), 0);
    append(path, "two\n");
    assert_true(log_tail_follow(&tail, &is_new));
    assert_true(is_new);
    assert_next(&tail, "two");
    assert_int_equal(tail.line, 1);
    log_tail_release(&tail);
}

static void an_overlong_line_is_left_out(void **state)
{
    (void)state;
    struct log_tail tail;
    struct str line;
    char *large = malloc(LOG_TAIL_LINE_MAX * 2 + 1);
    assert_non_null(large);
    memset(large, 'x', LOG_TAIL_LINE_MAX * 2);
    large[LOG_TAIL_LINE_MAX * 2] = '\0';
    append(path, "one\n");
    append(path, large);
    append(path, "\ntwo\n");
    free(large);
    log_tail_init(&tail, path);
    assert_int_equal(log_tail_open(&tail), 0);
    assert_next(&tail, "one");
    assert_int_equal(log_tail_next(&tail, &line), TAIL_OVERLONG);
    assert_next(&tail, "two");
    assert_int_equal(tail.line, 3);
    assert_next(&tail, NULL);
    log_tail_release(&tail);
}

static void near_the_end_lines_keep_their_numbers(void **state)
{
    (void)state;
    struct log_tail tail;
    struct str line;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 1; i <= 100000; i++)
        fprintf(file, "%d\n", i);
    fclose(file);
    log_tail_init(&tail, path);
    assert_int_equal(log_tail_open(&tail), 0);
    assert_int_equal(log_tail_near_end(&tail, 200000), 0);
    size_t count = 0;
    while (log_tail_next(&tail, &line) == TAIL_LINE) {
        uint64_t number;
        assert_int_equal(str_to_u64(line, &number), 0);
        assert_int_equal(number, tail.line);
        count++;
    }
    assert_int_equal(tail.line, 100000);
    assert_true(count > 10000 && count < 40000);
    log_tail_release(&tail);
}

static void what_is_no_file_is_an_error(void **state)
{
    (void)state;
    struct log_tail tail;
    log_tail_init(&tail, path);
    assert_int_equal(log_tail_open(&tail), -1);
    log_tail_init(&tail, folder);
    assert_int_equal(log_tail_open(&tail), -1);
    log_tail_release(&tail);
}

#define IN_FOLDER(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_line_comes_when_it_is_whole),
        IN_FOLDER(it_goes_on_at_a_place),
        IN_FOLDER(the_end_is_reached_without_the_beginning),
        IN_FOLDER(a_rotation_is_followed_without_losing_a_line),
        IN_FOLDER(a_truncation_begins_anew),
        IN_FOLDER(an_overlong_line_is_left_out),
        IN_FOLDER(near_the_end_lines_keep_their_numbers),
        IN_FOLDER(what_is_no_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
