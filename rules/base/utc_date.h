/* The Gregorian calendar of UTC, without the C library's: its time zone has a
 * lock that all threads share, and the calendar needs none. Pure. */
#ifndef RULES_BASE_UTC_DATE_H
#define RULES_BASE_UTC_DATE_H

#include <stdint.h>

#define UTC_DAY_SECONDS 86400u

struct utc_date {
    uint64_t year;
    unsigned month, day; /* from 1 */
    unsigned weekday;    /* 0: Sunday */
};

/* `days` since 1970-01-01. */
struct utc_date utc_date_of(uint64_t days);

#endif
