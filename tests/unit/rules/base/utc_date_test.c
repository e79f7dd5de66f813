#include "rules/base/utc_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void each_day_of_five_centuries_is_the_library_s(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 500 * 366; day++) {
        time_t time = (time_t)(day * UTC_DAY_SECONDS);
        struct tm want;
        struct utc_date date = utc_date_of(day);
        assert_non_null(gmtime_r(&time, &want));
        assert_int_equal(date.year, want.tm_year + 1900);
        assert_int_equal(date.month, want.tm_mon + 1);
        assert_int_equal(date.day, want.tm_mday);
        assert_int_equal(date.weekday, want.tm_wday);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_day_of_five_centuries_is_the_library_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
