/* Finding the lines of an id in a log. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/explain/past.h"

#define LINE(event, id, session)                                               \
    "{\"event\":\"" event "\",\"id\":\"" id "\",\"session\":\"" session "\"}"  \
    "\n"

static const char LOG[] = LINE("auth", "7QK3M9T2XA", "7QK3M9T2XA")
    LINE("transaction", "7QK3M9T2XA01", "7QK3M9T2XA")
        LINE("transaction", "7QK3M9T2XA02",
             "7QK3M9T2XA") "no JSON with 7QK3M9T2XA in "
                           "it\n" LINE("transaction", "AAAAAAAAAA01",
                                       "AAAAAAAAAA") "{\"event\""
                                                     ":\"transac"
                                                     "tion\","
                                                     "\"id\":"
                                                     "\"AAAAAAAA"
                                                     "AA02\","
                                                     "\"session"
                                                     "\":"
                                                     "\"AAAAAAAA"
                                                     "AA\","
                                                     "\"mail\":{"
                                                     "\"from\":"
                                                     "\"7QK3M9T2"
                                                     "XA@x."
                                                     "example\"}"
                                                     "}\n" LINE("sessio"
                                                                "n",
                                                                "7QK3M9"
                                                                "T2XA",
                                                                "7QK3M9"
                                                                "T2XA");

static void write_log(char path[32])
{
    snprintf(path, 32, "/tmp/past-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, LOG, strlen(LOG)), (ssize_t)strlen(LOG));
    close(fd);
}

static const char *id_of(const struct past_line *line)
{
    return line == NULL ? NULL
                        : json_string_value(json_object_get(line->entry, "id"));
}

static void ids_are_known_by_their_shape(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int want;
        bool want_session;
        const char *want_id;
    } cases[] = {
        {"7QK3M9T2XA", 0, true, "7QK3M9T2XA"},
        {"7qk3m9t2xa01", 0, false, "7QK3M9T2XA01"},
        {"7QK3M9T2XA0", -1, false, NULL},
        {"", -1, false, NULL},
        {"7QK3M9T2X!", -1, false, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct past past;
        assert_int_equal(past_init(&past, cases[i].id), cases[i].want);
        if (cases[i].want == 0) {
            assert_int_equal(past.is_session, cases[i].want_session);
            assert_string_equal(past.id, cases[i].want_id);
        }
        past_release(&past);
    }
}

static void only_lines_of_the_session_are_kept(void **state)
{
    (void)state;
    struct past past;
    char path[32];
    write_log(path);
    assert_int_equal(past_init(&past, "7qk3m9t2xa02"), 0);
    assert_int_equal(past_look(&past, path), 0);
    assert_int_equal(past.count, 4);
    assert_string_equal(id_of(past_line(&past, "transaction")), "7QK3M9T2XA02");
    assert_string_equal(id_of(past_line(&past, "session")), "7QK3M9T2XA");
    assert_null(past_line(&past, "list"));
    past_release(&past);
    unlink(path);
}

/* Of a client that sends mail for ever in one session. */
static void a_session_without_end_fits_still(void **state)
{
    (void)state;
    struct past past;
    char path[32] = "/tmp/past-XXXXXX";
    FILE *log = fdopen(mkstemp(path), "w");
    assert_non_null(log);
    for (int i = 0; i < 40; i++)
        fprintf(log,
                "{\"event\":\"transaction\",\"id\":\"7QK3M9T2XA%02d\","
                "\"session\":\"7QK3M9T2XA\",\"x\":\"%01000000d\"}\n",
                i, 0);
    fputs(LINE("session", "7QK3M9T2XA", "7QK3M9T2XA"), log);
    assert_int_equal(fclose(log), 0);
    assert_int_equal(past_init(&past, "7QK3M9T2XA38"), 0);
    assert_int_equal(past_look(&past, path), 0);
    assert_true(past.octets <= PAST_OCTETS_MAX);
    assert_in_range(past.count, 8, 12);
    assert_string_equal(id_of(past_line(&past, "transaction")), "7QK3M9T2XA38");
    assert_non_null(past_line(&past, "session"));
    past_release(&past);
    unlink(path);
}

static void a_log_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct past past;
    assert_int_equal(past_init(&past, "7QK3M9T2XA"), 0);
    assert_int_equal(past_look(&past, "/nonexistent/log"), -1);
    assert_int_equal(past.files, 0);
    past_release(&past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_known_by_their_shape),
        cmocka_unit_test(only_lines_of_the_session_are_kept),
        cmocka_unit_test(a_session_without_end_fits_still),
        cmocka_unit_test(a_log_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
