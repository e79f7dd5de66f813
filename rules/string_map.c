/* Open addressing. What is stored comes from the policy; strangers choose
 * only what is looked up, so the key of the hash need not be secret. */
#include "rules/string_map.h"

#include "rules/base/keyed_hash.h"

static size_t slot_of(const struct string_map *map, struct str key)
{
    static const uint8_t FIXED[KEYED_HASH_SECRET] = {1, 2, 3, 5, 8, 13};
    size_t i = (size_t)keyed_hash(FIXED, key) & (map->capacity - 1);
    while (map->slots[i].key.p != NULL && !str_equals(map->slots[i].key, key))
        i = (i + 1) & (map->capacity - 1);
    return i;
}

static int grow(struct string_map *map, struct arena *arena)
{
    struct string_map old = *map;
    map->capacity = old.capacity == 0 ? 8 : old.capacity * 2;
    map->slots = arena_array(arena, map->capacity, sizeof *map->slots);
    if (map->slots == NULL) {
        *map = old;
        return -1;
    }
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].key.p != NULL)
            map->slots[slot_of(map, old.slots[i].key)] = old.slots[i];
    return 0;
}

int string_map_put(struct string_map *map, struct arena *arena, struct str key,
                   struct str value, unsigned flags)
{
    if (key.n == 0)
        key.p = "";
    if (map->count * 2 >= map->capacity && grow(map, arena) != 0)
        return -1;
    struct string_map_slot *slot = &map->slots[slot_of(map, key)];
    if (slot->key.p == NULL) {
        *slot = (struct string_map_slot){.key = key, .value = value};
        map->count++;
    }
    slot->flags |= flags;
    return 0;
}

const struct string_map_slot *string_map_get(const struct string_map *map,
                                             struct str key)
{
    if (map->count == 0)
        return NULL;
    const struct string_map_slot *slot = &map->slots[slot_of(map, key)];
    return slot->key.p == NULL ? NULL : slot;
}
