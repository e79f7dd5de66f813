#include "proxy/explain/time_facts.h"

#include <time.h>

void time_facts_set(struct facts *facts, uint64_t seconds)
{
    static const struct str weekdays[7] = {
        STR_INIT("sunday"),    STR_INIT("monday"),   STR_INIT("tuesday"),
        STR_INIT("wednesday"), STR_INIT("thursday"), STR_INIT("friday"),
        STR_INIT("saturday"),
    };
    time_t time = (time_t)seconds;
    struct tm local;
    if (localtime_r(&time, &local) == NULL)
        return;
    facts_set_number(facts, FACT_TIME_HOUR, (uint64_t)local.tm_hour);
    facts_set_text(facts, FACT_TIME_WEEKDAY, weekdays[local.tm_wday]);
}
