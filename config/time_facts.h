/* What time.* says of a moment. The moment is passed in; hour and weekday are
 * those of the zone of the process (`timezone`), the date is in UTC. */
#ifndef CONFIG_TIME_FACTS_H
#define CONFIG_TIME_FACTS_H

#include "rules/facts.h"

/* `seconds` since 1970. Nothing changes within one second. */
void time_facts_set(struct facts *facts, uint64_t seconds);

/* The moment as fields of a header have it (RFC 5322 3.3), in English whatever
 * the locale. False: it is none that a calendar has. */
bool time_date_write(char out[FACTS_DATE_ROOM], uint64_t seconds);

#endif
