#include "rules/gram_table.h"

#define CAPACITY_MIN 16

uint32_t gram_of(const char *octets)
{
    uint32_t gram = 0;
    for (size_t i = 0; i < GRAM_OCTETS; i++)
        gram = gram << 8 | (unsigned char)ascii_lower(octets[i]);
    return gram;
}

static size_t place_of(const struct gram_table *table, uint32_t gram)
{
    /* The golden ratio spreads what differs in the last octet alone. */
    return (gram * 2654435769u >> 8) & (table->capacity - 1);
}

int gram_table_reserve(struct gram_table *table, struct arena *arena,
                       size_t count)
{
    size_t capacity = CAPACITY_MIN;
    while (capacity < 4 * count)
        capacity *= 2;
    table->slots = arena_array(arena, capacity, sizeof *table->slots);
    if (table->slots == NULL)
        return -1;
    table->capacity = capacity;
    return 0;
}

void gram_table_put(struct gram_table *table, uint32_t gram, uint32_t number)
{
    size_t i = place_of(table, gram);
    while (table->slots[i].number != 0)
        i = (i + 1) & (table->capacity - 1);
    table->slots[i] = (struct gram_slot){gram, number};
}

void gram_table_find(const struct gram_table *table, struct str text,
                     on_gram *then, void *owner)
{
    for (size_t at = 0; at + GRAM_OCTETS <= text.n; at++) {
        uint32_t gram = gram_of(text.p + at);
        size_t i = place_of(table, gram);
        for (; table->slots[i].number != 0; i = (i + 1) & (table->capacity - 1))
            if (table->slots[i].gram == gram)
                then(owner, table->slots[i].number);
    }
}

void gram_table_all(const struct gram_table *table, on_gram *then, void *owner)
{
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].number != 0)
            then(owner, table->slots[i].number);
}
