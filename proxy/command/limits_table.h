/* What the server says of its budgets, for people: columns that stand under
 * one another. */
#ifndef PROXY_COMMAND_LIMITS_TABLE_H
#define PROXY_COMMAND_LIMITS_TABLE_H

#include <stdio.h>

#include <jansson.h>

/* The rules with limits, and how many budgets are in use. */
void limits_table_print_rules(const json_t *reply, FILE *to);
/* The budgets under one key; `what` was done to them, or "". */
void limits_table_print_key(const json_t *reply, const char *what, FILE *to);

#endif
