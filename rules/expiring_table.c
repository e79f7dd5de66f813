/* Entries sit in one array, chained by hash, and in a heap by expiry, the
 * earliest on top: finding what may go is exact and takes a step or twenty,
 * never a walk over the table. */
#include "rules/expiring_table.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct entry {
    struct expiring_key key;
    uint64_t expiry_ms;
    uint32_t next;      /* in the chain, plus one; 0: the last */
    uint32_t heap_slot; /* where the heap has it */
    uint32_t touched;   /* the next that was touched, plus one; NONE: the last;
                           0: this one was not */
};

struct expiring_table {
    void *memory; /* owned: the four that follow lie in it */
    struct entry *entries;
    unsigned char *payloads;
    size_t payload_bytes;
    uint32_t *chains; /* first entry, plus one */
    uint32_t *heap;   /* of entries */
    uint32_t count, max;
    uint32_t touched; /* the first, as in struct entry */
    bool is_watched;
    size_t chain_mask;
    void (*forget)(void *owner, void *payload);
    void *owner;
};

struct expiring_key expiring_key(const uint8_t secret[KEYED_HASH_SECRET],
                                 const struct str *parts, size_t count)
{
    uint8_t second[KEYED_HASH_SECRET];
    for (size_t i = 0; i < sizeof second; i++)
        second[i] = secret[i] ^ 0xa5;
    return (struct expiring_key){{keyed_hash_parts(secret, parts, count),
                                  keyed_hash_parts(second, parts, count)}};
}

struct expiring_table *expiring_table_new(size_t max, size_t payload_bytes)
{
    struct expiring_table *table = calloc(1, sizeof *table);
    size_t chains = 1, align = sizeof(uint64_t);
    if (table == NULL || max >= NONE)
        goto fail;
    while (chains < max)
        chains *= 2;
    table->max = (uint32_t)max;
    table->chain_mask = chains - 1;
    table->touched = NONE;
    /* What needs more than this has a size that is a multiple of it. */
    table->payload_bytes = (payload_bytes + align - 1) / align * align;
    size_t octets = max * (sizeof *table->entries + table->payload_bytes +
                           sizeof *table->heap) +
                    chains * sizeof *table->chains;
    /* One piece, so that it is large enough to come as untouched pages. */
    table->memory = calloc(1, octets);
    if (table->memory == NULL)
        goto fail;
    /* The payloads first, whose alignment is not known here. */
    table->payloads = table->memory;
    table->entries =
        (struct entry *)(void *)(table->payloads + max * table->payload_bytes);
    table->chains = (uint32_t *)(table->entries + max);
    table->heap = table->chains + chains;
    return table;
fail:
    expiring_table_free(table);
    return NULL;
}

void expiring_table_free(struct expiring_table *table)
{
    if (table == NULL)
        return;
    free(table->memory);
    free(table);
}

static void *payload_of(struct expiring_table *table, uint32_t index)
{
    return table->payloads + (size_t)index * table->payload_bytes;
}

static uint32_t index_of(const struct expiring_table *table,
                         const void *payload)
{
    size_t offset = (size_t)((const unsigned char *)payload - table->payloads);
    return (uint32_t)(offset / table->payload_bytes);
}

static uint32_t *chain_of(struct expiring_table *table,
                          const struct expiring_key *key)
{
    return &table->chains[key->words[0] & table->chain_mask];
}

static bool key_equals(const struct expiring_key *a,
                       const struct expiring_key *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

void *expiring_table_find(struct expiring_table *table,
                          const struct expiring_key *key)
{
    uint32_t next = *chain_of(table, key);
    while (next != 0) {
        struct entry *entry = &table->entries[next - 1];
        if (key_equals(&entry->key, key))
            return payload_of(table, next - 1);
        next = entry->next;
    }
    return NULL;
}

static uint64_t expiry_at(const struct expiring_table *table, uint32_t slot)
{
    return table->entries[table->heap[slot]].expiry_ms;
}

static void swap_slots(struct expiring_table *table, uint32_t a, uint32_t b)
{
    uint32_t entry = table->heap[a];
    table->heap[a] = table->heap[b];
    table->heap[b] = entry;
    table->entries[table->heap[a]].heap_slot = a;
    table->entries[table->heap[b]].heap_slot = b;
}

/* Moves one entry to where its expiry belongs. */
static void settle(struct expiring_table *table, uint32_t slot)
{
    while (slot > 0 &&
           expiry_at(table, slot) < expiry_at(table, (slot - 1) / 2)) {
        swap_slots(table, slot, (slot - 1) / 2);
        slot = (slot - 1) / 2;
    }
    for (;;) {
        size_t child = (size_t)slot * 2 + 1;
        if (child >= table->count)
            return;
        if (child + 1 < table->count && expiry_at(table, (uint32_t)child + 1) <
                                            expiry_at(table, (uint32_t)child))
            child++;
        if (expiry_at(table, (uint32_t)child) >= expiry_at(table, slot))
            return;
        swap_slots(table, slot, (uint32_t)child);
        slot = (uint32_t)child;
    }
}

static void unchain(struct expiring_table *table, uint32_t index)
{
    uint32_t *link = chain_of(table, &table->entries[index].key);
    while (*link != index + 1)
        link = &table->entries[*link - 1].next;
    *link = table->entries[index].next;
}

/* An entry to use: the first to expire if that is before `now_ms`, or a fresh
 * one. */
static uint32_t take_entry(struct expiring_table *table, uint64_t now_ms)
{
    uint32_t index = table->count == 0 ? NONE : table->heap[0];
    if (index != NONE && table->entries[index].expiry_ms <= now_ms) {
        if (table->forget != NULL)
            table->forget(table->owner, payload_of(table, index));
        unchain(table, index);
        return index;
    }
    if (table->count == table->max)
        return NONE;
    index = table->count++;
    table->heap[index] = index;
    table->entries[index].heap_slot = index;
    return index;
}

static void *make(struct expiring_table *table, const struct expiring_key *key,
                  uint64_t now_ms)
{
    uint32_t index = take_entry(table, now_ms);
    if (index == NONE)
        return NULL;
    struct entry *entry = &table->entries[index];
    uint32_t *chain = chain_of(table, key);
    entry->key = *key;
    entry->next = *chain;
    *chain = index + 1;
    void *payload = payload_of(table, index);
    memset(payload, 0, table->payload_bytes);
    expiring_table_set(table, payload, UINT64_MAX);
    return payload;
}

void *expiring_table_make(struct expiring_table *table,
                          const struct expiring_key *key, uint64_t now_ms)
{
    void *payload = expiring_table_find(table, key);
    return payload != NULL ? payload : make(table, key, now_ms);
}

void *expiring_table_make_anyhow(struct expiring_table *table,
                                 const struct expiring_key *key,
                                 uint64_t now_ms)
{
    void *payload = expiring_table_make(table, key, now_ms);
    return payload != NULL ? payload : make(table, key, UINT64_MAX - 1);
}

void expiring_table_set(struct expiring_table *table, void *payload,
                        uint64_t expiry_ms)
{
    struct entry *entry = &table->entries[index_of(table, payload)];
    entry->expiry_ms = expiry_ms;
    settle(table, entry->heap_slot);
}

uint64_t expiring_table_expiry(struct expiring_table *table,
                               const void *payload)
{
    return table->entries[index_of(table, payload)].expiry_ms;
}

struct expiring_key expiring_table_key(const struct expiring_table *table,
                                       const void *payload)
{
    return table->entries[index_of(table, payload)].key;
}

size_t expiring_table_count(const struct expiring_table *table)
{
    return table->count;
}

void *expiring_table_at(struct expiring_table *table, size_t number)
{
    return payload_of(table, (uint32_t)number);
}

void expiring_table_on_forget(struct expiring_table *table,
                              void (*forget)(void *owner, void *payload),
                              void *owner)
{
    table->forget = forget;
    table->owner = owner;
}

void expiring_table_watch(struct expiring_table *table)
{
    table->is_watched = true;
}

void expiring_table_touch(struct expiring_table *table, const void *payload)
{
    uint32_t index = index_of(table, payload);
    if (!table->is_watched || table->entries[index].touched != 0)
        return;
    table->entries[index].touched = table->touched;
    table->touched = index + 1;
}

void *expiring_table_take_touched(struct expiring_table *table)
{
    if (table->touched == NONE)
        return NULL;
    uint32_t index = table->touched - 1;
    table->touched = table->entries[index].touched;
    table->entries[index].touched = 0;
    return payload_of(table, index);
}
