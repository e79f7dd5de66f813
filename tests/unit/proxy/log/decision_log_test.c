#include "proxy/log/decision_log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define TEXT_MAX 4096

static char folder[64];
static char path[96];
static char rotated[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/decision_log_test_XXXXXX");
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

static void read_file(const char *name, char text[TEXT_MAX])
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, TEXT_MAX - 1, file);
    text[length] = '\0';
    fclose(file);
}

static struct decision_log *open_with(const struct log_settings *settings)
{
    struct diags diags;
    diags_init(&diags);
    struct decision_log *log = decision_log_new(settings, &diags);
    assert_non_null(log);
    assert_int_equal(diags.count, 0);
    diags_release(&diags);
    return log;
}

static struct decision_log *open_log(void)
{
    return open_with(&(struct log_settings){.decisions = path});
}

static void freeing_writes_what_is_queued(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log = open_log();
    decision_log_write(log, STR("{\"a\":1}"));
    decision_log_write(log, STR("{\"b\":2}\n"));
    decision_log_free(log);
    read_file(path, text);
    assert_string_equal(text, "{\"a\":1}\n{\"b\":2}\n");
}

static void lines_of_a_lane_keep_their_order(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log = open_log();
    struct decision_lane *lane = decision_log_lane(log);
    decision_lane_write(lane, STR("{\"a\":1}"));
    decision_lane_write(lane, STR(""));
    decision_lane_write(lane, STR("{\"a\":2}"));
    decision_log_write(log, STR("{\"b\":1}"));
    decision_lane_write(lane, STR("{\"a\":3}"));
    decision_log_free(log);
    read_file(path, text);
    const char *first = strstr(text, "{\"a\":1}\n");
    const char *second = strstr(text, "{\"a\":2}\n");
    const char *third = strstr(text, "{\"a\":3}\n");
    assert_true(first != NULL && first < second && second < third);
    assert_non_null(strstr(text, "{\"b\":1}\n"));
    assert_non_null(strstr(text, "\"lost\":1}\n"));
}

#define WRITERS 4
#define LINES_EACH 2000

static void *write_many(void *argument)
{
    struct decision_lane *lane = argument;
    for (int i = 0; i < LINES_EACH; i++)
        decision_lane_write(lane, STR("{\"n\":1}"));
    return NULL;
}

static void no_line_of_any_thread_is_missed(void **state)
{
    (void)state;
    pthread_t threads[WRITERS];
    struct stat status;
    struct decision_log *log = open_log();
    for (int i = 0; i < WRITERS; i++) {
        struct decision_lane *lane = decision_log_lane(log);
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, lane),
                         0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    decision_log_free(log);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, WRITERS * LINES_EACH * 8);
}

static void after_a_rotation_lines_go_into_the_new_file(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log = open_log();
    decision_log_free(log);
    log = open_log();
    assert_int_equal(rename(path, rotated), 0);
    decision_log_reopen(log);
    decision_log_write(log, STR("{}"));
    decision_log_free(log);
    read_file(path, text);
    assert_string_equal(text, "{}\n");
    read_file(rotated, text);
    assert_string_equal(text, "");
}

static void a_failed_reopening_keeps_the_old_file(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log = open_log();
    assert_int_equal(rename(path, rotated), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    decision_log_reopen(log);
    decision_log_write(log, STR("{}"));
    decision_log_free(log);
    assert_int_equal(rmdir(path), 0);
    read_file(rotated, text);
    assert_non_null(strstr(text, "\"not_reopened\":\"Is a directory\"}\n{}\n"));
}

static void set_size_limit(rlim_t octets)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void what_is_lost_is_told_in_the_next_line(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    static char large[9 * 1024 * 1024];
    struct decision_log *log = open_log();
    memset(large, 'x', sizeof large);
    decision_log_write(log, str_span(large, sizeof large));
    decision_log_write(log, STR(""));
    decision_log_write(log, STR("{\"a\":1}"));
    decision_log_free(log);
    read_file(path, text);
    const char *lost = strstr(text, "\"event\":\"log\",\"lost\":2}\n");
    assert_non_null(lost);
    assert_non_null(strstr(lost, "{\"a\":1}\n"));
}

static void a_full_disk_loses_whole_lines_and_counts_them(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log = open_log();
    signal(SIGXFSZ, SIG_IGN);
    set_size_limit(10);
    decision_log_write(log, STR("{\"a\":1}"));
    decision_log_write(log, STR("{\"b\":2}"));
    decision_log_write(log, STR("{\"c\":3}"));
    decision_log_free(log);
    set_size_limit(RLIM_INFINITY);
    read_file(path, text);
    assert_string_equal(text, "{\"a\":1}\n");
}

/* Until the writer's thread has found out. */
static void wait_until_it_fails(struct decision_lane *lane)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 10000 && decision_lane_takes_mail(lane); i++)
        nanosleep(&moment, NULL);
    assert_false(decision_lane_takes_mail(lane));
}

static void a_strict_log_keeps_what_a_full_disk_does_not_take(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log =
        open_with(&(struct log_settings){.decisions = path, .is_strict = true});
    struct decision_lane *lane = decision_log_lane(log);
    assert_true(decision_lane_takes_mail(lane));
    signal(SIGXFSZ, SIG_IGN);
    set_size_limit(10);
    decision_lane_write(lane, STR("{\"a\":1}"));
    decision_lane_write_mail(lane, STR("{\"b\":2}"));
    wait_until_it_fails(lane);
    decision_lane_write_mail(lane, STR("{\"c\":3}"));
    set_size_limit(RLIM_INFINITY);
    decision_log_reopen(log); /* so that it tries again at once */
    decision_log_free(log);
    read_file(path, text);
    assert_string_equal(text, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
}

static void a_log_that_is_not_strict_takes_mail_all_the_same(void **state)
{
    (void)state;
    struct decision_log *log =
        open_with(&(struct log_settings){.decisions = "/dev/full"});
    struct decision_lane *lane = decision_log_lane(log);
    decision_lane_write(lane, STR("{\"a\":1}"));
    decision_log_free(log);
    log = open_with(&(struct log_settings){.is_strict = true});
    assert_true(decision_lane_takes_mail(decision_log_lane(log)));
    decision_log_free(log);
}

static void a_strict_log_goes_on_in_another_file(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct decision_log *log =
        open_with(&(struct log_settings){.decisions = path, .is_strict = true});
    struct decision_lane *lane = decision_log_lane(log);
    signal(SIGXFSZ, SIG_IGN);
    set_size_limit(10);
    decision_lane_write(lane, STR("{\"a\":1}"));
    decision_lane_write_mail(lane, STR("{\"b\":2}"));
    wait_until_it_fails(lane);
    assert_int_equal(rename(path, rotated), 0);
    decision_log_reopen(log);
    decision_log_free(log);
    set_size_limit(RLIM_INFINITY);
    read_file(rotated, text);
    assert_string_equal(text, "{\"a\":1}\n");
    read_file(path, text);
    assert_string_equal(text, "{\"b\":2}\n");
}

static void a_strict_log_that_ends_does_not_wait_for_room(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct diags diags;
    _Atomic uint64_t lines = 0, lost = 0;
    const struct log_settings settings = {
        .decisions = "/dev/full", .server = path, .is_strict = true};
    diags_init(&diags);
    struct server_log *server = server_log_new(&settings, &diags);
    struct decision_log *log = open_with(&settings);
    struct decision_lane *lane = decision_log_lane(log);
    decision_log_report_to(log, server);
    decision_log_count_in(log, &lines, &lost);
    decision_lane_write_mail(lane, STR("{\"a\":1}"));
    wait_until_it_fails(lane);
    for (int i = 0; i < 500; i++) {
        decision_lane_write_mail(lane, STR("{\"b\":2}"));
        decision_log_write(log, STR("{\"c\":3}"));
    }
    decision_log_free(log);
    server_log_free(server);
    assert_int_equal(lines, 0);
    assert_int_equal(lost, 1001);
    read_file(path, text);
    assert_non_null(strstr(text, "/dev/full can't be written, new mail is "
                                 "deferred (log.strict): No space left on "
                                 "device\n"));
    assert_non_null(strstr(text, "/dev/full: 1001 decisions are lost: it could "
                                 "not be written to the end\n"));
    diags_release(&diags);
}

static void a_missing_folder_is_said_at_the_key(void **state)
{
    (void)state;
    struct diags diags;
    const struct log_settings settings = {
        .decisions = "/nonexistent/decisions.jsonl",
        .decisions_mark = {"postern.yaml", 7, 18},
    };
    diags_init(&diags);
    assert_null(decision_log_new(&settings, &diags));
    assert_int_equal(diags.errors, 1);
    assert_string_equal(diags.items[0].text,
                        "the folder /nonexistent does not exist; create it "
                        "or change log.decisions");
    assert_int_equal(diags.items[0].mark.line, 7);
    assert_int_equal(decision_log_check(&settings, &diags), -1);
    diags_release(&diags);
}

static void a_path_that_is_a_folder_is_an_error(void **state)
{
    (void)state;
    struct diags diags;
    const struct log_settings settings = {.decisions = folder};
    diags_init(&diags);
    assert_null(decision_log_new(&settings, &diags));
    assert_int_equal(diags.errors, 1);
    diags_release(&diags);
}

static void without_a_path_lines_are_dropped(void **state)
{
    (void)state;
    struct diags diags;
    const struct log_settings settings = {.decisions = NULL};
    diags_init(&diags);
    struct decision_log *log = decision_log_new(&settings, &diags);
    assert_non_null(log);
    decision_log_write(log, STR("{}"));
    decision_log_reopen(log);
    decision_log_free(log);
    diags_release(&diags);
}

/* Every write to /dev/full fails as on a full disk. */
static void a_full_disk_is_told_to_the_administrator_once(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    struct diags diags;
    const struct log_settings settings = {.decisions = "/dev/full",
                                          .server = path};
    diags_init(&diags);
    struct server_log *server = server_log_new(&settings, &diags);
    struct decision_log *log = decision_log_new(&settings, &diags);
    assert_non_null(server);
    assert_non_null(log);
    decision_log_report_to(log, server);
    decision_log_write(log, STR("{\"a\":1}"));
    decision_log_write(log, STR("{\"b\":2}"));
    decision_log_free(log);
    server_log_free(server);
    read_file(path, text);
    const char *told = strstr(text, "/dev/full can't be written");
    assert_non_null(told);
    assert_null(strstr(told + 1, "/dev/full can't be written"));
    diags_release(&diags);
}

/* A pipe takes 64 KiB; what is behind that waits a second each. The writer has
 * all of it in its hand when the log is to end. */
static void freeing_does_not_wait_for_a_reader_that_is_stuck(void **state)
{
    (void)state;
    enum { LINES = 600, LINE = 1000 };
    char line[LINE];
    struct diags diags;
    const struct log_settings settings = {.decisions = path};
    memset(line, 'x', sizeof line);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    diags_init(&diags);
    struct decision_log *log = decision_log_new(&settings, &diags);
    assert_non_null(log);
    for (int i = 0; i < LINES; i++)
        decision_log_write(log, str_span(line, sizeof line));
    struct pollfd first = {.fd = reader, .events = POLLIN};
    assert_int_equal(poll(&first, 1, 10000), 1);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    decision_log_free(log);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 20);
    close(reader);
    diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(freeing_writes_what_is_queued,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(lines_of_a_lane_keep_their_order,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(no_line_of_any_thread_is_missed,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            after_a_rotation_lines_go_into_the_new_file, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(a_failed_reopening_keeps_the_old_file,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_lost_is_told_in_the_next_line,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            a_full_disk_loses_whole_lines_and_counts_them, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(
            a_strict_log_keeps_what_a_full_disk_does_not_take, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(a_strict_log_goes_on_in_another_file,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            a_strict_log_that_ends_does_not_wait_for_room, make_folder,
            remove_folder),
        cmocka_unit_test(a_log_that_is_not_strict_takes_mail_all_the_same),
        cmocka_unit_test(a_missing_folder_is_said_at_the_key),
        cmocka_unit_test_setup_teardown(a_path_that_is_a_folder_is_an_error,
                                        make_folder, remove_folder),
        cmocka_unit_test(without_a_path_lines_are_dropped),
        cmocka_unit_test_setup_teardown(
            a_full_disk_is_told_to_the_administrator_once, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(
            freeing_does_not_wait_for_a_reader_that_is_stuck, make_folder,
            remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
