#include "proxy/log/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#define TEXT_MAX 256

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/log_file_test_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file(const char *want)
{
    char text[TEXT_MAX] = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, want);
}

static void lines_are_appended(void **state)
{
    (void)state;
    struct log_file file;
    put_file("old\n");
    assert_int_equal(log_file_open(&file, path), 0);
    assert_int_equal(log_file_append(&file, STR("new\n")), 4);
    log_file_close(&file);
    assert_file("old\nnew\n");
}

static void a_torn_last_line_is_closed_first(void **state)
{
    (void)state;
    struct log_file file;
    put_file("old\n{\"torn");
    assert_int_equal(log_file_open(&file, path), 0);
    assert_int_equal(log_file_append(&file, STR("new\n")), 4);
    assert_int_equal(log_file_append(&file, STR("newer\n")), 6);
    log_file_close(&file);
    assert_file("old\n{\"torn\nnew\nnewer\n");
}

static void set_size_limit(rlim_t octets)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_line_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    struct log_file file;
    assert_int_equal(log_file_open(&file, path), 0);
    assert_int_equal(log_file_append(&file, STR("12345\n")), 6);
    set_size_limit(10);
    size_t result = log_file_append(&file, STR("67\n89012345\n"));
    int error = errno;
    set_size_limit(RLIM_INFINITY);
    assert_int_equal(result, 3);
    assert_int_equal(error, EFBIG);
    assert_file("12345\n67\n");
    assert_int_equal(log_file_append(&file, STR("next\n")), 5);
    assert_file("12345\n67\nnext\n");
    log_file_close(&file);
}

/* --- pipes --- */

/* More than a pipe holds at once. */
#define LONG_LINE (100 * 1024)

static char long_line[LONG_LINE];

static void open_pipe(struct log_file *file, int ends[2], int flags)
{
    memset(long_line, 'x', LONG_LINE);
    long_line[LONG_LINE - 1] = '\n';
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(log_file_adopt(file, ends[1]), 0);
    signal(SIGPIPE, SIG_IGN);
}

/* How many octets, and the last of them. */
static size_t drain(int end, char last[8])
{
    static char taken[LONG_LINE];
    size_t total = 0;
    for (;;) {
        ssize_t got = read(end, taken, sizeof taken);
        if (got <= 0)
            return total;
        total += (size_t)got;
        for (ssize_t i = got > 8 ? got - 8 : 0; i < got; i++) {
            memmove(last, last + 1, 7);
            last[7] = taken[i];
        }
    }
}

static void a_pipe_that_nobody_reads_takes_nothing(void **state)
{
    (void)state;
    int ends[2];
    struct log_file file;
    open_pipe(&file, ends, O_NONBLOCK);
    close(ends[0]);
    assert_int_equal(log_file_append(&file, STR("line\n")), 0);
    assert_int_equal(errno, EPIPE);
    assert_false(file.is_torn);
    log_file_close(&file);
}

/* Whether writes to it wait or not. */
static void the_rest_of_a_line_goes_first(int flags)
{
    int ends[2];
    char last[8] = {0};
    struct log_file file;
    open_pipe(&file, ends, flags);
    assert_int_equal(log_file_append(&file, str_span(long_line, LONG_LINE)),
                     LONG_LINE);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(log_file_append(&file, STR("lost\n")), 0);
    size_t total = drain(ends[0], last);
    assert_true(total > 0 && total < LONG_LINE);
    while (log_file_append(&file, STR("behind\n")) == 0)
        total += drain(ends[0], last);
    total += drain(ends[0], last);
    assert_int_equal(total, LONG_LINE + 7);
    assert_memory_equal(last, "\nbehind\n", 8);
    close(ends[0]);
    log_file_close(&file);
}

static void a_full_pipe_gets_the_rest_of_a_line_first(void **state)
{
    (void)state;
    the_rest_of_a_line_goes_first(O_NONBLOCK);
}

static void a_full_pipe_that_others_share_does_too(void **state)
{
    (void)state;
    the_rest_of_a_line_goes_first(0);
}

/* In another process, since a claim is a process's. The octets taken. */
static int append_in_a_child(const struct log_file *file)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct log_file own;
        if (log_file_adopt(&own, file->fd) != 0)
            _exit(100);
        _exit((int)log_file_append(&own, STR("child\n")));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void nobody_writes_within_a_line_that_was_begun(void **state)
{
    (void)state;
    int ends[2];
    char last[8];
    char some[100 * 1024];
    struct log_file file;
    open_pipe(&file, ends, O_NONBLOCK);
    assert_int_equal(append_in_a_child(&file), 6);
    assert_int_equal(log_file_append(&file, str_span(long_line, LONG_LINE)),
                     LONG_LINE);
    assert_true(read(ends[0], some, sizeof some) > 6);
    assert_int_equal(append_in_a_child(&file), 0);
    while (log_file_append(&file, STR("behind\n")) == 0)
        (void)drain(ends[0], last);
    (void)drain(ends[0], last);
    assert_memory_equal(last, "\nbehind\n", 8);
    assert_int_equal(append_in_a_child(&file), 6);
    close(ends[0]);
    log_file_close(&file);
}

static void a_missing_folder_is_an_error(void **state)
{
    (void)state;
    struct log_file file;
    assert_int_equal(log_file_open(&file, "/nonexistent/log"), -1);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_appended, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_torn_last_line_is_closed_first,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_line_that_does_not_fit_leaves_nothing,
                                        make_folder, remove_folder),
        cmocka_unit_test(a_pipe_that_nobody_reads_takes_nothing),
        cmocka_unit_test(a_full_pipe_gets_the_rest_of_a_line_first),
        cmocka_unit_test(a_full_pipe_that_others_share_does_too),
        cmocka_unit_test(nobody_writes_within_a_line_that_was_begun),
        cmocka_unit_test(a_missing_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
