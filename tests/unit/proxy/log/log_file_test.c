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

static void a_piece_that_stays_in_a_pipe_is_closed_before_the_next(void **state)
{
    (void)state;
    static char filler[1024 * 1024];
    char taken[4096];
    int ends[2];
    struct log_file file = {.is_torn = false};
    memset(filler, 'x', sizeof filler);
    filler[sizeof filler - 1] = '\n';
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    file.fd = ends[1];
    close(ends[0]);
    /* Nobody reads: an error at once, nothing was taken. */
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(log_file_append(&file, STR("line\n")), 0);
    assert_false(file.is_torn);
    log_file_close(&file);

    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    file.fd = ends[1];
    assert_int_equal(log_file_append(&file, str_span(filler, sizeof filler)),
                     0);
    assert_true(file.is_torn);
    while (read(ends[0], taken, sizeof taken) > 0)
        ;
    assert_int_equal(log_file_append(&file, STR("next\n")), 5);
    assert_int_equal(read(ends[0], taken, sizeof taken), 6);
    assert_memory_equal(taken, "\nnext\n", 6);
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
        cmocka_unit_test(
            a_piece_that_stays_in_a_pipe_is_closed_before_the_next),
        cmocka_unit_test(a_missing_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
