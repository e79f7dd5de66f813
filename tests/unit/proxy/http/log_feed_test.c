#include "proxy/http/log_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>

#include <cmocka.h>

static char folder[64];
static char path[96];
static char rotated[96];
static struct entry_filter all;
static struct log_feed feed;

static int make_folder(void **state)
{
    (void)state;
    char error[ENTRY_FILTER_ERROR_MAX];
    snprintf(folder, sizeof folder, "/tmp/log_feed_test_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(rotated, sizeof rotated, "%s/log.1", folder);
    entry_filter_init(&all);
    return entry_filter_add(&all, STR("event=all"), 0, error);
}

static int remove_folder(void **state)
{
    (void)state;
    log_feed_release(&feed);
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

static void append_numbers(const char *name, int from, int to)
{
    FILE *file = fopen(name, "a");
    assert_non_null(file);
    for (int i = from; i <= to; i++)
        fprintf(file, "{\"event\":\"transaction\",\"id\":\"%d\"}\n", i);
    fclose(file);
}

/* The ids that are there, with commas. */
static const char *ids(void)
{
    static char text[8192];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < feed.count; i++) {
        struct str line = log_feed_line(&feed, i);
        const char *id = memmem(line.p, line.n, "\"id\":\"", 6);
        assert_non_null(id);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s",
                                 i > 0 ? "," : "", (int)strcspn(id + 6, "\""),
                                 id + 6);
    }
    return text;
}

static void begin(size_t lines_max)
{
    log_feed_release(&feed);
    log_feed_init(&feed, path, &all, lines_max);
}

static void the_newest_come_first(void **state)
{
    (void)state;
    append_numbers(path, 1, 10);
    begin(3);
    assert_int_equal(log_feed_recent(&feed), 0);
    assert_string_equal(ids(), "8,9,10");
    assert_false(feed.has_more);
}

static void a_log_that_is_not_there_is_empty(void **state)
{
    (void)state;
    begin(3);
    assert_int_equal(log_feed_recent(&feed), 0);
    assert_int_equal(feed.count, 0);
    struct log_place place = feed.place;
    append_numbers(path, 1, 2);
    begin(3);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_string_equal(ids(), "1,2");
    assert_false(feed.has_gap);
}

static void what_follows_comes_once_and_whole(void **state)
{
    (void)state;
    append_numbers(path, 1, 2);
    append(path, "{\"event\":\"transa");
    begin(10);
    assert_int_equal(log_feed_recent(&feed), 0);
    struct log_place place = feed.place;
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_int_equal(feed.count, 0);
    append(path, "ction\",\"id\":\"3\"}\n");
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_string_equal(ids(), "3");
    place = feed.place;
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_int_equal(feed.count, 0);
}

static void what_is_too_much_comes_in_pieces(void **state)
{
    (void)state;
    append_numbers(path, 1, 7);
    struct log_place place = {0}; /* of a log that was not there yet */
    static const char *const wants[] = {"1,2,3", "4,5,6", "7"};
    for (size_t i = 0; i < 3; i++) {
        begin(3);
        assert_int_equal(log_feed_after(&feed, place), 0);
        assert_string_equal(ids(), wants[i]);
        assert_int_equal(feed.has_more, i < 2);
        assert_false(feed.has_gap);
        place = feed.place;
    }
}

static void a_rotation_loses_nothing(void **state)
{
    (void)state;
    append_numbers(path, 1, 2);
    begin(10);
    assert_int_equal(log_feed_recent(&feed), 0);
    struct log_place place = feed.place;
    append_numbers(path, 3, 4);
    assert_int_equal(rename(path, rotated), 0);
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_int_equal(feed.count, 0); /* until there is a new one */
    append_numbers(path, 5, 6);
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_string_equal(ids(), "3,4,5,6");
    assert_false(feed.has_gap);
    place = feed.place;
    begin(10);
    append_numbers(path, 7, 7);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_string_equal(ids(), "7");
}

static void two_rotations_are_a_gap(void **state)
{
    (void)state;
    append_numbers(path, 1, 2);
    begin(10);
    assert_int_equal(log_feed_recent(&feed), 0);
    struct log_place place = feed.place;
    place.file ^= 0x7fffffff; /* a file that is gone */
    append_numbers(path, 3, 3);
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_true(feed.has_gap);
    assert_string_equal(ids(), "1,2,3");
}

static void a_truncation_is_a_gap(void **state)
{
    (void)state;
    append_numbers(path, 1, 5);
    begin(10);
    assert_int_equal(log_feed_recent(&feed), 0);
    struct log_place place = feed.place;
    assert_int_equal(truncate(path, 0), 0);
    append_numbers(path, 6, 6);
    begin(10);
    assert_int_equal(log_feed_after(&feed, place), 0);
    assert_true(feed.has_gap);
    assert_string_equal(ids(), "6");
}

static void what_is_no_entry_is_passed_over(void **state)
{
    (void)state;
    append(path,
           "\nnonsense\n[1]\n\"x\"\n{\"a\":1} {\"b\":2}\n{\"event\":\"x\"");
    append(path, "\n");
    append_numbers(path, 1, 1);
    append(path, "{\"event\":\"transaction\",\"id\":\"\xff\"}\n");
    append_numbers(path, 2, 2);
    begin(10);
    assert_int_equal(log_feed_recent(&feed), 0);
    assert_string_equal(ids(), "1,2");
}

static void a_filter_lets_its_own_through(void **state)
{
    (void)state;
    char error[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    entry_filter_init(&filter);
    assert_int_equal(entry_filter_add(&filter, STR("id=3"), 0, error), 0);
    append_numbers(path, 1, 5000);
    log_feed_init(&feed, path, &filter, 10);
    assert_int_equal(log_feed_recent(&feed), 0);
    assert_string_equal(ids(), "3");
}

/* Further back than the first look reaches. */
static void what_is_rare_is_looked_for_further_back(void **state)
{
    (void)state;
    char error[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    entry_filter_init(&filter);
    assert_int_equal(entry_filter_add(&filter, STR("id=1"), 0, error), 0);
    append_numbers(path, 1, 60000);
    log_feed_init(&feed, path, &filter, 10);
    assert_int_equal(log_feed_recent(&feed), 0);
    assert_string_equal(ids(), "1");
    assert_int_equal(feed.count, 1);
}

static void a_pipe_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    begin(10);
    assert_int_equal(log_feed_recent(&feed), ESPIPE);
    assert_int_equal(log_feed_after(&feed, (struct log_place){0}), ESPIPE);
}

static void a_place_is_a_text(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "-",
                                        "1",
                                        "1-",
                                        "-1",
                                        "1-x",
                                        "x-1",
                                        "1-2-3",
                                        " 1-2",
                                        "1-18446744073709551615",
                                        "1-9999999999999999999999"};
    char text[LOG_PLACE_TEXT];
    struct log_place place = {12345, 678}, again;
    log_place_text(&place, text);
    assert_string_equal(text, "12345-678");
    assert_int_equal(log_place_parse(str_from(text), &again), 0);
    assert_int_equal(again.file, 12345);
    assert_int_equal(again.offset, 678);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (log_place_parse(str_from(wrong[i]), &again) == 0)
            fail_msg("%s", wrong[i]);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_come_first),
        TEST(a_log_that_is_not_there_is_empty),
        TEST(what_follows_comes_once_and_whole),
        TEST(what_is_too_much_comes_in_pieces),
        TEST(a_rotation_loses_nothing),
        TEST(two_rotations_are_a_gap),
        TEST(a_truncation_is_a_gap),
        TEST(what_is_no_entry_is_passed_over),
        TEST(a_filter_lets_its_own_through),
        TEST(what_is_rare_is_looked_for_further_back),
        TEST(a_pipe_is_not_waited_for),
        TEST(a_place_is_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
