/* Open addressing. What is stored comes from the policy; strangers choose
 * only what is looked up, so the hash has no secret and is a cheap one. */
#include "rules/string_map.h"

#include <string.h>

#define CAPACITY_MIN 8

static struct str key_of(const struct string_map_slot *slot)
{
    return str_span(slot->key, slot->key_octets);
}

/* The golden ratio of 2^64: what is multiplied by it spreads upwards, and is
 * brought down again. */
#define SPREAD 0x9e3779b97f4a7c15u

static uint64_t spread(uint64_t mixed)
{
    mixed *= SPREAD;
    return mixed ^ mixed >> 32;
}

/* Eight octets at a time, the last of them filled up with zeros. */
static uint64_t hash(struct str key)
{
    uint64_t mixed = key.n, octets;
    for (; key.n >= sizeof octets; key = str_skip(key, sizeof octets)) {
        memcpy(&octets, key.p, sizeof octets);
        mixed = spread(mixed ^ octets);
    }
    octets = 0;
    if (key.n > 0)
        memcpy(&octets, key.p, key.n);
    return spread(spread(mixed ^ octets));
}

static struct string_map_slot *slot_of(const struct string_map *map,
                                       struct str key)
{
    size_t i = (size_t)hash(key) & (map->capacity - 1);
    while (map->slots[i].key != NULL &&
           !str_equals(key_of(&map->slots[i]), key))
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

static int resize(struct string_map *map, struct arena *arena, size_t capacity)
{
    struct string_map old = *map;
    map->capacity = capacity;
    map->slots = arena_array(arena, capacity, sizeof *map->slots);
    if (map->slots == NULL) {
        *map = old;
        return -1;
    }
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].key != NULL)
            *slot_of(map, key_of(&old.slots[i])) = old.slots[i];
    return 0;
}

int string_map_reserve(struct string_map *map, struct arena *arena,
                       size_t count)
{
    size_t capacity = CAPACITY_MIN;
    if (count > SIZE_MAX / 4)
        return -1;
    while (capacity < 2 * count)
        capacity *= 2;
    return capacity <= map->capacity ? 0 : resize(map, arena, capacity);
}

struct string_map_slot *string_map_put(struct string_map *map,
                                       struct arena *arena, struct str key)
{
    if (key.n == 0)
        key.p = "";
    if (key.n > UINT32_MAX ||
        string_map_reserve(map, arena, map->count + 1) != 0)
        return NULL;
    struct string_map_slot *slot = slot_of(map, key);
    if (slot->key == NULL) {
        slot->key = key.p;
        slot->key_octets = (uint32_t)key.n;
        map->count++;
    }
    return slot;
}

const struct string_map_slot *string_map_get(const struct string_map *map,
                                             struct str key)
{
    if (map->count == 0)
        return NULL;
    const struct string_map_slot *slot = slot_of(map, key);
    return slot->key == NULL ? NULL : slot;
}
