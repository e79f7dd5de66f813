#include "tests/bench/load/number.h"

#include <stddef.h>

bool number_read(const char *text, uint64_t *number, const char **end)
{
    const char *p = text;
    uint64_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (p == text || (end == NULL && *p != '\0'))
        return false;
    *number = value;
    if (end != NULL)
        *end = p;
    return true;
}
