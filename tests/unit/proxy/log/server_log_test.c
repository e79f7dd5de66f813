#include "proxy/log/server_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX 16384

static char path[64];
static char text[TEXT_MAX];

static struct server_log *open_log(bool is_debug)
{
    struct diags diags;
    snprintf(path, sizeof path, "/tmp/server_log_test_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const struct log_settings settings = {.server = path, .is_debug = is_debug};
    diags_init(&diags);
    struct server_log *log = server_log_new(&settings, &diags);
    assert_non_null(log);
    diags_release(&diags);
    return log;
}

/* Ends the log and reads it. */
static void close_log(struct server_log *log)
{
    server_log_free(log);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    unlink(path);
}

static void a_line_has_its_time_and_level(void **state)
{
    (void)state;
    struct server_log *log = open_log(false);
    server_log_write(log, SERVER_WARNING, "no answer from %s", "mta");
    close_log(log);
    /* 2026-01-05T09:30:01.123Z */
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[19], '.');
    assert_string_equal(text + 23, "Z warning no answer from mta\n");
}

static void debug_lines_are_left_out_unless_asked_for(void **state)
{
    (void)state;
    struct server_log *log = open_log(false);
    server_log_write(log, SERVER_DEBUG, "detail");
    close_log(log);
    assert_string_equal(text, "");
    log = open_log(true);
    server_log_write(log, SERVER_DEBUG, "detail");
    close_log(log);
    assert_non_null(strstr(text, " debug detail\n"));
}

static void wire_L01_what_a_peer_says_can_not_make_a_line(void **state)
{
    (void)state;
    struct server_log *log = open_log(false);
    server_log_write(log, SERVER_INFO, "said %s", "a\r\nb\x1b[2J\xff");
    close_log(log);
    assert_non_null(strstr(text, " info said a\\r\\nb\\x1b[2J\\xff\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_line_is_bounded(void **state)
{
    (void)state;
    char large[5000];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    struct server_log *log = open_log(false);
    server_log_write(log, SERVER_INFO, "%s", large);
    close_log(log);
    assert_true(strlen(text) <= 1024);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void a_burst_is_summed_up(void **state)
{
    (void)state;
    struct server_log *log = open_log(false);
    for (int i = 0; i < 100; i++)
        server_log_write(log, SERVER_ERROR, "disk full");
    close_log(log);
    size_t lines = 0;
    for (const char *p = text; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 11);
    assert_non_null(strstr(text, " error 90 more times: disk full\n"));
}

static void after_a_rotation_lines_go_into_the_new_file(void **state)
{
    (void)state;
    struct server_log *log = open_log(false);
    server_log_write(log, SERVER_INFO, "before");
    assert_int_equal(unlink(path), 0);
    server_log_reopen(log);
    server_log_write(log, SERVER_INFO, "after");
    close_log(log);
    assert_null(strstr(text, "before"));
    assert_non_null(strstr(text, " info after\n"));
}

static void it_goes_on_in_another_file(void **state)
{
    char first[sizeof path];
    (void)state;
    struct server_log *log = open_log(false);
    server_log_move(log, path);
    server_log_write(log, SERVER_INFO, "before");
    snprintf(first, sizeof first, "%s", path);
    snprintf(path, sizeof path, "%.60s-2", first);
    server_log_move(log, path);
    server_log_write(log, SERVER_INFO, "after");
    server_log_move(log, "/nonexistent/log");
    close_log(log);
    assert_null(strstr(text, "before"));
    assert_non_null(strstr(text, " info after\n"));
    assert_non_null(strstr(text, "can't go on in /nonexistent/log: "));
    unlink(first);
}

static void no_log_is_fine(void **state)
{
    (void)state;
    server_log_write(NULL, SERVER_ERROR, "nobody hears");
    server_log_reopen(NULL);
    server_log_move(NULL, NULL);
    server_log_free(NULL);
}

static void a_file_that_can_not_be_opened_is_told(void **state)
{
    (void)state;
    struct diags diags;
    const struct log_settings settings = {.server = "/nonexistent/log"};
    diags_init(&diags);
    assert_null(server_log_new(&settings, &diags));
    assert_int_equal(diags.errors, 1);
    diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_time_and_level),
        cmocka_unit_test(debug_lines_are_left_out_unless_asked_for),
        cmocka_unit_test(wire_L01_what_a_peer_says_can_not_make_a_line),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(a_burst_is_summed_up),
        cmocka_unit_test(after_a_rotation_lines_go_into_the_new_file),
        cmocka_unit_test(it_goes_on_in_another_file),
        cmocka_unit_test(no_log_is_fine),
        cmocka_unit_test(a_file_that_can_not_be_opened_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
