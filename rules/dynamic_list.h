/* What the dynamic lists hold now: (list, value) until some time, bounded in
 * number and in length, with the texts, so that they can be listed. A value
 * that is still listed is never forgotten to make room. */
#ifndef RULES_DYNAMIC_LIST_H
#define RULES_DYNAMIC_LIST_H

#include "rules/expiring_table.h"

#define DYNAMIC_LIST_NAME_MAX 255
#define DYNAMIC_LIST_VALUE_MAX 1024

struct dynamic_list;

struct dynamic_list *dynamic_list_new(size_t max);
/* As expiring_table_place(). */
size_t dynamic_list_octets(size_t max);
struct dynamic_list *dynamic_list_place(void *memory, size_t max);
void dynamic_list_free(struct dynamic_list *list);

/* One value of one list, and its key: the hash of both texts. */
struct dynamic_value {
    struct expiring_key key;
    struct str list, value;
    uint64_t until_ms; /* UINT64_MAX: until removed; 0: removed */
};

/* A value that is there already stays for the longer of both times. False
 * when there is no room, or when a text is too long. */
bool dynamic_list_add(struct dynamic_list *list,
                      const struct dynamic_value *value, uint64_t now_ms);
void dynamic_list_remove(struct dynamic_list *list,
                         const struct expiring_key *key);
bool dynamic_list_holds(struct dynamic_list *list,
                        const struct expiring_key *key, uint64_t now_ms);

/* What a payload of the entries says; its texts live as long as the entry.
 * Additions and removals touch it. */
struct dynamic_value dynamic_list_value(struct dynamic_list *list,
                                        const void *payload);
struct expiring_table *dynamic_list_entries(struct dynamic_list *list);
/* Whether a removal was forgotten before it was taken as touched: then only a
 * look at all entries tells what is listed. Asking resets it. */
bool dynamic_list_take_lost(struct dynamic_list *list);
void dynamic_list_lose(struct dynamic_list *list);

#endif
