#include "rules/base/digits.h"

#include <assert.h>
#include <string.h>

size_t digits_write(char to[DIGITS_MAX], uint64_t number, size_t width)
{
    char digits[DIGITS_MAX];
    size_t at = DIGITS_MAX;
    assert(width <= DIGITS_MAX);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (DIGITS_MAX - at < width)
        digits[--at] = '0';
    memcpy(to, digits + at, DIGITS_MAX - at);
    return DIGITS_MAX - at;
}
