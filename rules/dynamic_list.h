/* What the dynamic lists hold now: (list, value) until some time, bounded. A
 * value that is still listed is never forgotten to make room. */
#ifndef RULES_DYNAMIC_LIST_H
#define RULES_DYNAMIC_LIST_H

#include "rules/expiring_table.h"

struct dynamic_list;

struct dynamic_list *dynamic_list_new(size_t max);
void dynamic_list_free(struct dynamic_list *list);

/* for_ms is 0: until removed. A value that is there already stays for the
 * longer of both times. False when there is no room. */
bool dynamic_list_add(struct dynamic_list *list, const struct expiring_key *key,
                      uint64_t for_ms, uint64_t now_ms);
void dynamic_list_remove(struct dynamic_list *list,
                         const struct expiring_key *key);
bool dynamic_list_holds(struct dynamic_list *list,
                        const struct expiring_key *key, uint64_t now_ms);

#endif
