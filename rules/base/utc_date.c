#include "rules/base/utc_date.h"

#define ERA_DAYS 146097u /* of 400 years, after which it comes again */
#define ERA_YEARS 400u
#define EPOCH_DAY 719468u /* 1970-01-01, counted from 0000-03-01 */
#define EPOCH_WEEKDAY 4u  /* a Thursday */

/* Years begin in March, so that what leap years add comes at their end. */
struct utc_date utc_date_of(uint64_t days)
{
    uint64_t era = (days + EPOCH_DAY) / ERA_DAYS;
    unsigned left = (unsigned)((days + EPOCH_DAY) % ERA_DAYS);
    /* Of four years one is longer, of a hundred none, of all of them one. */
    unsigned year = (left - left / 1460 + left / 36524 - left / 146096) / 365;
    left -= 365 * year + year / 4 - year / 100;
    /* March to July, August to December: 31, 30, 31, 30, 31 days. */
    unsigned month = (5 * left + 2) / 153;
    return (struct utc_date){
        .year = era * ERA_YEARS + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = left - (153 * month + 2) / 5 + 1,
        .weekday = (unsigned)((days + EPOCH_WEEKDAY) % 7),
    };
}
