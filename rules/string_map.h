/* Text → text, built once and then only read: the exact entries of lists.
 * Keys compare octet by octet, so callers fold case before. Flags of the same
 * key add up; the first value stays. Memory is the arena's. */
#ifndef RULES_STRING_MAP_H
#define RULES_STRING_MAP_H

#include "rules/base/arena.h"

struct string_map_slot {
    struct str key; /* p is NULL: free */
    struct str value;
    unsigned flags;
};

struct string_map {
    struct string_map_slot *slots;
    size_t count;
    size_t capacity; /* a power of two, at most half full */
};

/* Borrows key and value. 0, or -1 when the arena is full. */
int string_map_put(struct string_map *map, struct arena *arena, struct str key,
                   struct str value, unsigned flags);
/* NULL when there is none. */
const struct string_map_slot *string_map_get(const struct string_map *map,
                                             struct str key);

#endif
