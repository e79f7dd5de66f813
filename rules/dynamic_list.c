#include "rules/dynamic_list.h"

#include <stdlib.h>

struct dynamic_list {
    struct expiring_table *entries;
};

struct dynamic_list *dynamic_list_new(size_t max)
{
    struct dynamic_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return NULL;
    list->entries = expiring_table_new(max, 1);
    if (list->entries == NULL) {
        free(list);
        return NULL;
    }
    return list;
}

void dynamic_list_free(struct dynamic_list *list)
{
    if (list == NULL)
        return;
    expiring_table_free(list->entries);
    free(list);
}

bool dynamic_list_add(struct dynamic_list *list, const struct expiring_key *key,
                      uint64_t for_ms, uint64_t now_ms)
{
    uint64_t until = for_ms == 0 || for_ms > UINT64_MAX - now_ms
                         ? UINT64_MAX
                         : now_ms + for_ms;
    void *entry = expiring_table_find(list->entries, key);
    if (entry != NULL) {
        if (expiring_table_expiry(list->entries, entry) < until)
            expiring_table_set(list->entries, entry, until);
        return true;
    }
    entry = expiring_table_make(list->entries, key, now_ms);
    if (entry == NULL)
        return false;
    expiring_table_set(list->entries, entry, until);
    return true;
}

void dynamic_list_remove(struct dynamic_list *list,
                         const struct expiring_key *key)
{
    void *entry = expiring_table_find(list->entries, key);
    if (entry != NULL)
        expiring_table_set(list->entries, entry, 0);
}

bool dynamic_list_holds(struct dynamic_list *list,
                        const struct expiring_key *key, uint64_t now_ms)
{
    void *entry = expiring_table_find(list->entries, key);
    return entry != NULL &&
           expiring_table_expiry(list->entries, entry) > now_ms;
}
