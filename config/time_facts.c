#include "config/time_facts.h"

#include <time.h>

#include "rules/base/digits.h"
#include "rules/base/octet_writer.h"
#include "rules/base/utc_date.h"

static void put_number(struct octet_writer *writer, uint64_t number,
                       size_t width)
{
    char digits[DIGITS_MAX];
    size_t n = digits_write(digits, number, width);
    octet_writer_put(writer, str_span(digits, n));
}

bool time_date_write(char out[FACTS_DATE_ROOM], uint64_t seconds)
{
    static const char DAYS[7][4] = {"Sun", "Mon", "Tue", "Wed",
                                    "Thu", "Fri", "Sat"};
    static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr",
                                       "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec"};
    unsigned clock = (unsigned)(seconds % UTC_DAY_SECONDS);
    struct utc_date date = utc_date_of(seconds / UTC_DAY_SECONDS);
    if (date.year > 9999)
        return false;
    struct octet_writer writer = {.to = out, .room = FACTS_DATE_ROOM - 1};
    octet_writer_put(&writer, str_span(DAYS[date.weekday], 3));
    octet_writer_put(&writer, STR(", "));
    put_number(&writer, date.day, 2);
    octet_writer_put(&writer, STR(" "));
    octet_writer_put(&writer, str_span(MONTHS[date.month - 1], 3));
    octet_writer_put(&writer, STR(" "));
    put_number(&writer, date.year, 4);
    octet_writer_put(&writer, STR(" "));
    put_number(&writer, clock / 3600, 2);
    octet_writer_put(&writer, STR(":"));
    put_number(&writer, clock / 60 % 60, 2);
    octet_writer_put(&writer, STR(":"));
    put_number(&writer, clock % 60, 2);
    octet_writer_put(&writer, STR(" +0000"));
    out[writer.used] = '\0';
    return !writer.is_full;
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
