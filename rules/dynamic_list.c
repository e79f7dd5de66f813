#include "rules/dynamic_list.h"

#include <stdlib.h>
#include <string.h>

struct listed {
    char *texts; /* the list's name, then the value; owned */
    uint16_t list_n, value_n;
    bool is_removed;
};

struct dynamic_list {
    struct expiring_table *entries;
    bool has_lost;
};

static void on_forget(void *owner, void *payload)
{
    struct dynamic_list *list = owner;
    struct listed *listed = payload;
    if (listed->is_removed)
        list->has_lost = true;
    free(listed->texts);
    listed->texts = NULL;
}

struct dynamic_list *dynamic_list_new(size_t max)
{
    struct dynamic_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return NULL;
    list->entries = expiring_table_new(max, sizeof(struct listed));
    if (list->entries == NULL) {
        free(list);
        return NULL;
    }
    expiring_table_on_forget(list->entries, on_forget, list);
    return list;
}

void dynamic_list_free(struct dynamic_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < expiring_table_count(list->entries); i++) {
        struct listed *listed = expiring_table_at(list->entries, i);
        free(listed->texts);
    }
    expiring_table_free(list->entries);
    free(list);
}

static char *join(struct str list, struct str value)
{
    char *texts = malloc(list.n + value.n + 1);
    if (texts == NULL)
        return NULL;
    if (list.n > 0)
        memcpy(texts, list.p, list.n);
    if (value.n > 0)
        memcpy(texts + list.n, value.p, value.n);
    return texts;
}

static bool insert(struct dynamic_list *list, const struct dynamic_value *value,
                   uint64_t now_ms)
{
    if (value->list.n > DYNAMIC_LIST_NAME_MAX ||
        value->value.n > DYNAMIC_LIST_VALUE_MAX)
        return false;
    char *texts = join(value->list, value->value);
    if (texts == NULL)
        return false;
    struct listed *listed =
        expiring_table_make(list->entries, &value->key, now_ms);
    if (listed == NULL) {
        free(texts);
        return false;
    }
    *listed = (struct listed){.texts = texts,
                              .list_n = (uint16_t)value->list.n,
                              .value_n = (uint16_t)value->value.n};
    expiring_table_set(list->entries, listed, value->until_ms);
    expiring_table_touch(list->entries, listed);
    return true;
}

bool dynamic_list_add(struct dynamic_list *list,
                      const struct dynamic_value *value, uint64_t now_ms)
{
    struct listed *listed = expiring_table_find(list->entries, &value->key);
    if (listed == NULL)
        return insert(list, value, now_ms);
    if (listed->is_removed ||
        expiring_table_expiry(list->entries, listed) < value->until_ms) {
        listed->is_removed = false;
        expiring_table_set(list->entries, listed, value->until_ms);
        expiring_table_touch(list->entries, listed);
    }
    return true;
}

void dynamic_list_remove(struct dynamic_list *list,
                         const struct expiring_key *key)
{
    struct listed *listed = expiring_table_find(list->entries, key);
    if (listed == NULL || listed->is_removed)
        return;
    listed->is_removed = true;
    expiring_table_set(list->entries, listed, 0);
    expiring_table_touch(list->entries, listed);
}

bool dynamic_list_holds(struct dynamic_list *list,
                        const struct expiring_key *key, uint64_t now_ms)
{
    void *entry = expiring_table_find(list->entries, key);
    return entry != NULL &&
           expiring_table_expiry(list->entries, entry) > now_ms;
}

struct dynamic_value dynamic_list_value(struct dynamic_list *list,
                                        const void *payload)
{
    const struct listed *listed = payload;
    return (struct dynamic_value){
        .key = expiring_table_key(list->entries, payload),
        .list = str_span(listed->texts, listed->list_n),
        .value = str_span(listed->texts + listed->list_n, listed->value_n),
        .until_ms = expiring_table_expiry(list->entries, payload)};
}

struct expiring_table *dynamic_list_entries(struct dynamic_list *list)
{
    return list->entries;
}

bool dynamic_list_take_lost(struct dynamic_list *list)
{
    bool has_lost = list->has_lost;
    list->has_lost = false;
    return has_lost;
}
