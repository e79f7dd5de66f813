/* A set of texts, each with a number of the caller's, built once and then
 * only read: the exact entries of lists. Keys compare octet by octet, so
 * callers fold case before. A slot is 16 octets, and the table is never more
 * than half full. Memory is the arena's. */
#ifndef RULES_STRING_MAP_H
#define RULES_STRING_MAP_H

#include "rules/base/arena.h"

struct string_map_slot {
    const char *key; /* borrowed; NULL: free */
    uint32_t key_octets;
    uint32_t number; /* 0 in a new slot */
};

struct string_map {
    struct string_map_slot *slots;
    size_t count;
    size_t capacity; /* a power of two */
};

/* Room for `count` keys in all, taken at once instead of by doubling, where
 * each step leaves the smaller table behind. 0, or -1: the arena is full. */
int string_map_reserve(struct string_map *map, struct arena *arena,
                       size_t count);
/* The slot of the key, which is borrowed; NULL when the arena is full. */
struct string_map_slot *string_map_put(struct string_map *map,
                                       struct arena *arena, struct str key);
/* NULL when there is none. */
const struct string_map_slot *string_map_get(const struct string_map *map,
                                             struct str key);

#endif
