/* An overview while it is made, for the files that make it. */
#ifndef PROXY_CONTROL_VERB_OVERVIEW_INTERNAL_H
#define PROXY_CONTROL_VERB_OVERVIEW_INTERNAL_H

#include "proxy/control/control_verbs.h"

struct overview {
    const struct controlled *c;
    uint64_t wall_us, now_ms, minute;
};

json_t *overview_integer(uint64_t number);
json_t *overview_minute_list(const uint64_t minutes[MINUTES]);

/* In verb_overview_busiest.c. */
json_t *overview_rules(const struct overview *o);
json_t *overview_users(const struct overview *o);

#endif
