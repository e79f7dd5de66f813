/* The tables below the head of `postern top`: servers of upstreams, rules,
 * users. Columns that do not fit are left out, the last ones first. */
#ifndef PROXY_COMMAND_TOP_TABLES_H
#define PROXY_COMMAND_TOP_TABLES_H

#include "proxy/command/top_view.h"

/* By what users are sorted: keys of the overview. */
extern const char *const top_sort_keys[TOP_SORTS];

/* As much as the screen has room for. Sorts the users of the overview. */
void top_tables_print(const struct top_view *view, json_t *overview,
                      struct screen *screen);

#endif
