#include "proxy/log/log_time.h"

#include <time.h>

#include "rules/base/digits.h"
#include "rules/base/utc_date.h"

/* Takes `digits` digits off. */
static int take_number(struct str *text, size_t digits, int *out)
{
    uint64_t value;
    if (text->n < digits || str_to_u64(str_head(*text, digits), &value) != 0)
        return -1;
    *text = str_skip(*text, digits);
    *out = (int)value;
    return 0;
}

static bool take_octet(struct str *text, char octet)
{
    if (text->n == 0 || text->p[0] != octet)
        return false;
    *text = str_skip(*text, 1);
    return true;
}

static int take_date(struct str *text, struct tm *tm)
{
    int month;
    if (take_number(text, 4, &tm->tm_year) != 0 || !take_octet(text, '-') ||
        take_number(text, 2, &month) != 0 || !take_octet(text, '-') ||
        take_number(text, 2, &tm->tm_mday) != 0)
        return -1;
    if (tm->tm_year < 1970 || month < 1 || month > 12 || tm->tm_mday < 1 ||
        tm->tm_mday > 31)
        return -1;
    tm->tm_year -= 1900;
    tm->tm_mon = month - 1;
    return 0;
}

static int take_fraction(struct str *text, uint64_t *us)
{
    uint64_t unit = 100000;
    if (text->n == 0 || !ascii_is_digit(text->p[0]))
        return -1;
    for (; text->n > 0 && ascii_is_digit(text->p[0]); unit /= 10) {
        *us += (uint64_t)(text->p[0] - '0') * unit;
        *text = str_skip(*text, 1);
    }
    return 0;
}

static int take_clock(struct str *text, struct tm *tm, uint64_t *us)
{
    if (take_number(text, 2, &tm->tm_hour) != 0 || !take_octet(text, ':') ||
        take_number(text, 2, &tm->tm_min) != 0)
        return -1;
    if (take_octet(text, ':') && take_number(text, 2, &tm->tm_sec) != 0)
        return -1;
    if (take_octet(text, '.') && take_fraction(text, us) != 0)
        return -1;
    return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 ? -1 : 0;
}

int log_time_parse(struct str text, uint64_t *us)
{
    struct tm tm = {.tm_isdst = -1};
    uint64_t fraction = 0;
    if (take_date(&text, &tm) != 0)
        return -1;
    if (take_octet(&text, 'T') && take_clock(&text, &tm, &fraction) != 0)
        return -1;
    bool is_utc = take_octet(&text, 'Z');
    if (text.n > 0)
        return -1;
    time_t seconds = is_utc ? timegm(&tm) : mktime(&tm);
    if (seconds < 0)
        return -1;
    *us = (uint64_t)seconds * 1000000 + fraction;
    return 0;
}

/* The digits and what stands behind them. */
static size_t put_part(char *to, uint64_t value, size_t digits, char behind)
{
    size_t n = digits_write(to, value, digits);
    to[n] = behind;
    return n + 1;
}

size_t log_time_write(uint64_t us, char to[LOG_TIME_ROOM])
{
    uint64_t seconds = us / 1000000;
    unsigned clock = (unsigned)(seconds % UTC_DAY_SECONDS);
    struct utc_date date = utc_date_of(seconds / UTC_DAY_SECONDS);
    size_t n = put_part(to, date.year, 4, '-');
    n += put_part(to + n, date.month, 2, '-');
    n += put_part(to + n, date.day, 2, 'T');
    n += put_part(to + n, clock / 3600, 2, ':');
    n += put_part(to + n, clock / 60 % 60, 2, ':');
    n += put_part(to + n, clock % 60, 2, '.');
    return n + put_part(to + n, us % 1000000, 6, 'Z');
}
