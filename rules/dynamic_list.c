#include "rules/dynamic_list.h"

#include "rules/base/zeroed_block.h"

#include <stdlib.h>
#include <string.h>

struct listed {
    uint16_t list_n, value_n;
    bool is_removed;
    /* The list's name, then the value: room for any, so that entries can lie
     * in shared memory. */
    char texts[DYNAMIC_LIST_NAME_MAX + DYNAMIC_LIST_VALUE_MAX];
};

/* What lies in the memory before the table. */
struct head {
    _Alignas(ZEROED_BLOCK_ALIGNMENT) bool has_lost;
};

struct dynamic_list {
    void *owned; /* the memory, if it is the list's own */
    struct head *head;
    struct expiring_table *entries;
};

static void on_forget(void *owner, void *payload)
{
    struct dynamic_list *list = owner;
    const struct listed *listed = payload;
    if (listed->is_removed)
        list->head->has_lost = true;
}

size_t dynamic_list_octets(size_t max)
{
    return sizeof(struct head) +
           expiring_table_octets(max, sizeof(struct listed));
}

struct dynamic_list *dynamic_list_place(void *memory, size_t max)
{
    struct dynamic_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return NULL;
    list->head = memory;
    list->entries =
        expiring_table_place(list->head + 1, max, sizeof(struct listed));
    if (list->entries == NULL) {
        free(list);
        return NULL;
    }
    expiring_table_on_forget(list->entries, on_forget, list);
    return list;
}

struct dynamic_list *dynamic_list_new(size_t max)
{
    void *owned;
    void *memory = zeroed_block_new(dynamic_list_octets(max), &owned);
    if (memory == NULL)
        return NULL;
    struct dynamic_list *list = dynamic_list_place(memory, max);
    if (list == NULL)
        free(owned);
    else
        list->owned = owned;
    return list;
}

void dynamic_list_free(struct dynamic_list *list)
{
    if (list == NULL)
        return;
    expiring_table_free(list->entries);
    free(list->owned);
    free(list);
}

static bool insert(struct dynamic_list *list, const struct dynamic_value *value,
                   uint64_t now_ms)
{
    if (value->list.n > DYNAMIC_LIST_NAME_MAX ||
        value->value.n > DYNAMIC_LIST_VALUE_MAX)
        return false;
    struct listed *listed =
        expiring_table_make(list->entries, &value->key, now_ms);
    if (listed == NULL)
        return false;
    listed->list_n = (uint16_t)value->list.n;
    listed->value_n = (uint16_t)value->value.n;
    if (value->list.n > 0)
        memcpy(listed->texts, value->list.p, value->list.n);
    if (value->value.n > 0)
        memcpy(listed->texts + value->list.n, value->value.p, value->value.n);
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
    bool has_lost = list->head->has_lost;
    list->head->has_lost = false;
    return has_lost;
}

void dynamic_list_lose(struct dynamic_list *list)
{
    list->head->has_lost = true;
}
