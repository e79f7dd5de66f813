/* time.hour and time.weekday of a moment, in the zone of the process. */
#ifndef PROXY_EXPLAIN_TIME_FACTS_H
#define PROXY_EXPLAIN_TIME_FACTS_H

#include "rules/facts.h"

void time_facts_set(struct facts *facts, uint64_t seconds);

#endif
