/* Times as the decision log writes them and as people ask for them. */
#ifndef PROXY_LOG_LOG_TIME_H
#define PROXY_LOG_LOG_TIME_H

#include "rules/base/str.h"

/* "2026-01-05", "2026-01-05T09:30", with seconds and up to six digits of
 * fractions; local time, or UTC when "Z" ends it. 0, or -1: something else.
 * *us is since the epoch. */
int log_time_parse(struct str text, uint64_t *us);

/* "2026-01-05T09:30:01.123456Z" of microseconds since the epoch; how many
 * octets that are, without a NUL. */
#define LOG_TIME_ROOM 40
size_t log_time_write(uint64_t us, char to[LOG_TIME_ROOM]);

#endif
