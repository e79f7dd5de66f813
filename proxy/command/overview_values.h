/* Values of a reply to "overview". Whatever has answered: what is absent, or is
 * of another type, is 0 or empty. */
#ifndef PROXY_COMMAND_OVERVIEW_VALUES_H
#define PROXY_COMMAND_OVERVIEW_VALUES_H

#include <jansson.h>

#include "rules/base/str.h"

#define OVERVIEW_MINUTES 60

long long overview_number(const json_t *object, const char *key);
double overview_real(const json_t *object, const char *key);
/* Valid as long as the object. */
struct str overview_text(const json_t *object, const char *key);
/* Of a time of RFC 3339 that of the day, to the second. */
struct str overview_clock(struct str time);
void overview_minutes(const json_t *list,
                      unsigned long long minutes[OVERVIEW_MINUTES]);

#endif
