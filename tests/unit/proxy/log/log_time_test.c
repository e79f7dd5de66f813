#include "proxy/log/log_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct time_case {
    const char *text;
    uint64_t want_us; /* 0: not a time */
};

static const struct time_case cases[] = {
    {"2026-01-05T09:30:01.123456Z", 1767605401123456u},
    {"2026-01-05T09:30:01.1Z", 1767605401100000u},
    {"2026-01-05T09:30:01Z", 1767605401000000u},
    {"2026-01-05T09:30Z", 1767605400000000u},
    {"2026-01-05Z", 1767571200000000u},
    {"2026-01-05T09:30:01", 1767605401000000u}, /* TZ is UTC below */
    {"2026-01-05", 1767571200000000u},
    {.text = ""},
    {.text = "2026"},
    {.text = "2026-13-05"},
    {.text = "2026-01-32"},
    {.text = "2026-01-05T"},
    {.text = "2026-01-05T24:00"},
    {.text = "2026-01-05T09:60"},
    {.text = "2026-01-05T09:30:01.Z"},
    {.text = "2026-01-05T09:30:01ZZ"},
    {.text = "2026-01-05 09:30"},
    {.text = "1969-01-05"},
};

static void times_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t us = 0;
        print_message("  %s\n", cases[i].text);
        int result = log_time_parse(str_from(cases[i].text), &us);
        assert_int_equal(result, cases[i].want_us == 0 ? -1 : 0);
        assert_true(us == cases[i].want_us);
    }
}

static void assert_written(uint64_t us)
{
    char got[LOG_TIME_ROOM], want[LOG_TIME_ROOM + 8];
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    assert_non_null(gmtime_r(&seconds, &tm));
    size_t n = strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(want + n, sizeof want - n, ".%06uZ", (unsigned)(us % 1000000));
    size_t length = log_time_write(us, got);
    if (!str_equals(str_span(got, length), str_from(want)))
        fail_msg("got %.*s, want %s", (int)length, got, want);
}

/* A second before and after each midnight of five hundred years. */
static void times_are_written_by_the_calendar(void **state)
{
    (void)state;
    assert_written(0);
    assert_written(1767605401123456u);
    assert_written(253402300799999999u); /* the last of the year 9999 */
    for (uint64_t day = 1; day < 500 * 365; day++) {
        assert_written(day * 86400000000u - 1);
        assert_written(day * 86400000000u + 123456);
    }
}

static void no_time_is_too_late_to_be_written(void **state)
{
    char text[LOG_TIME_ROOM];
    (void)state;
    size_t n = log_time_write(UINT64_MAX, text);
    assert_true(n <= sizeof text);
    assert_memory_equal(text, "586524-01-19T08:01:49.551615Z", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_by_the_calendar),
        cmocka_unit_test(no_time_is_too_late_to_be_written),
        cmocka_unit_test(times_are_read_strictly),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
