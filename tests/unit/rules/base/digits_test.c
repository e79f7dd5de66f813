#include "rules/base/digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_digits(uint64_t number, size_t width, const char *want)
{
    char digits[DIGITS_MAX];
    size_t n = digits_write(digits, number, width);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(digits, want, n);
}

static void numbers_are_written_as_printf_does(void **state)
{
    (void)state;
    assert_digits(0, 1, "0");
    assert_digits(7, 1, "7");
    assert_digits(10, 1, "10");
    assert_digits(UINT64_MAX, 1, "18446744073709551615");
}

static void a_number_too_short_gets_zeros(void **state)
{
    (void)state;
    assert_digits(0, 3, "000");
    assert_digits(42, 3, "042");
    assert_digits(1234, 3, "1234");
    assert_digits(1, DIGITS_MAX, "00000000000000000001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_printf_does),
        cmocka_unit_test(a_number_too_short_gets_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
