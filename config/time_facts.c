#include "config/time_facts.h"

#include <stdio.h>
#include <time.h>

bool time_date_write(char out[FACTS_DATE_ROOM], uint64_t seconds)
{
    static const char DAYS[7][4] = {"Sun", "Mon", "Tue", "Wed",
                                    "Thu", "Fri", "Sat"};
    static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr",
                                       "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec"};
    time_t time = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&time, &utc) == NULL || utc.tm_year > 9999 - 1900)
        return false;
    int n =
        snprintf(out, FACTS_DATE_ROOM, "%s, %02d %s %d %02d:%02d:%02d +0000",
                 DAYS[utc.tm_wday], utc.tm_mday, MONTHS[utc.tm_mon],
                 utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    return n > 0 && n < FACTS_DATE_ROOM;
}

void time_facts_set(struct facts *facts, uint64_t seconds)
{
    static const struct str WEEKDAYS[7] = {
        STR_INIT("sunday"),    STR_INIT("monday"),   STR_INIT("tuesday"),
        STR_INIT("wednesday"), STR_INIT("thursday"), STR_INIT("friday"),
        STR_INIT("saturday"),
    };
    time_t time = (time_t)seconds;
    struct tm local;
    if (facts_know(facts, FACT_TIME_DATE) && facts->time_s == seconds)
        return;
    if (localtime_r(&time, &local) == NULL ||
        !time_date_write(facts->date, seconds))
        return;
    facts->time_s = seconds;
    facts_set_number(facts, FACT_TIME_HOUR, (uint64_t)local.tm_hour);
    facts_set_text(facts, FACT_TIME_WEEKDAY, WEEKDAYS[local.tm_wday]);
    facts_set_text(facts, FACT_TIME_DATE, str_from(facts->date));
}
