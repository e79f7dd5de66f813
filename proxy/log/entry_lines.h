/* Lines of the decision log made lines for people, many at a time. */
#ifndef PROXY_LOG_ENTRY_LINES_H
#define PROXY_LOG_ENTRY_LINES_H

#include <stdbool.h>

#include "rules/base/str.h"

struct entry_lines;

/* NULL when out of memory. */
struct entry_lines *entry_lines_new(bool is_coloured);
/* As many lines for people as `lines` holds, each with its LF; valid until
 * the next call. Empty when out of memory. A line that is no object of the
 * decision log stays as it is. */
struct str entry_lines_shown(struct entry_lines *shown, struct str lines);
void entry_lines_free(struct entry_lines *shown);

#endif
