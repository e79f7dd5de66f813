/* One line of the decision log for people: local time, id, verdict, who,
 * from → to, size, reply, rules, queue id, time taken. What came from outside
 * is made printable, so that no mail drives the terminal. */
#ifndef PROXY_LOG_ENTRY_VIEW_H
#define PROXY_LOG_ENTRY_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/* Prints one line, with its LF. `entry` is an object. */
void entry_view_print(FILE *to, const json_t *entry, bool is_coloured);

#endif
