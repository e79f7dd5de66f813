/* Entries sit in one array, chained by hash, and in a heap by expiry, the
 * earliest on top: finding what may go is exact and takes a step or twenty,
 * never a walk over the table. */
#include "rules/expiring_table.h"

#include "rules/base/zeroed_block.h"

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

/* What lies in the memory before the rest. */
struct head {
    _Alignas(ZEROED_BLOCK_ALIGNMENT) uint32_t count;
    uint32_t touched; /* the first that was, plus one; 0: none */
    uint32_t is_watched;
};

struct expiring_table {
    void *owned; /* the memory, if it is the table's own */
    struct head *head;
    struct entry *entries;
    unsigned char *payloads;
    size_t payload_bytes;
    uint32_t *chains; /* first entry, plus one */
    uint32_t *heap;   /* of entries */
    uint32_t max;
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

static size_t chains_of(size_t max)
{
    size_t chains = 1;
    while (chains < max)
        chains *= 2;
    return chains;
}

/* What needs more alignment than this has a size that is a multiple of it. */
static size_t padded(size_t payload_bytes)
{
    size_t align = sizeof(uint64_t);
    return (payload_bytes + align - 1) / align * align;
}

size_t expiring_table_octets(size_t max, size_t payload_bytes)
{
    return zeroed_block_size(sizeof(struct head) +
                             max * (padded(payload_bytes) +
                                    sizeof(struct entry) + sizeof(uint32_t)) +
                             chains_of(max) * sizeof(uint32_t));
}

struct expiring_table *expiring_table_place(void *memory, size_t max,
                                            size_t payload_bytes)
{
    struct expiring_table *table = max < NONE ? calloc(1, sizeof *table) : NULL;
    if (table == NULL)
        return NULL;
    size_t chains = chains_of(max);
    table->max = (uint32_t)max;
    table->chain_mask = chains - 1;
    table->payload_bytes = padded(payload_bytes);
    table->head = memory;
    /* The payloads first, whose alignment is not known here. */
    table->payloads = (unsigned char *)(table->head + 1);
    table->entries =
        (struct entry *)(void *)(table->payloads + max * table->payload_bytes);
    table->chains = (uint32_t *)(table->entries + max);
    table->heap = table->chains + chains;
    return table;
}

struct expiring_table *expiring_table_new(size_t max, size_t payload_bytes)
{
    void *owned = NULL;
    void *memory =
        max < NONE ? zeroed_block_new(expiring_table_octets(max, payload_bytes),
                                      &owned)
                   : NULL;
    if (memory == NULL)
        return NULL;
    struct expiring_table *table =
        expiring_table_place(memory, max, payload_bytes);
    if (table == NULL)
        free(owned);
    else
        table->owned = owned;
    return table;
}

void expiring_table_free(struct expiring_table *table)
{
    if (table == NULL)
        return;
    free(table->owned);
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
        if (child >= table->head->count)
            return;
        if (child + 1 < table->head->count &&
            expiry_at(table, (uint32_t)child + 1) <
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
    uint32_t index = table->head->count == 0 ? NONE : table->heap[0];
    if (index != NONE && table->entries[index].expiry_ms <= now_ms) {
        if (table->forget != NULL)
            table->forget(table->owner, payload_of(table, index));
        unchain(table, index);
        return index;
    }
    if (table->head->count == table->max)
        return NONE;
    index = table->head->count++;
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
    return table->head->count;
}

void *expiring_table_at(struct expiring_table *table, size_t number)
{
    return payload_of(table, (uint32_t)number);
}

size_t expiring_table_number(const struct expiring_table *table,
                             const void *payload)
{
    return index_of(table, payload);
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
    table->head->is_watched = true;
}

void expiring_table_touch(struct expiring_table *table, const void *payload)
{
    struct head *head = table->head;
    uint32_t index = index_of(table, payload);
    if (!head->is_watched || table->entries[index].touched != 0)
        return;
    table->entries[index].touched = head->touched == 0 ? NONE : head->touched;
    head->touched = index + 1;
}

void *expiring_table_take_touched(struct expiring_table *table)
{
    struct head *head = table->head;
    if (head->touched == 0)
        return NULL;
    uint32_t index = head->touched - 1;
    uint32_t next = table->entries[index].touched;
    head->touched = next == NONE ? 0 : next;
    table->entries[index].touched = 0;
    return payload_of(table, index);
}
