/* A region with a cap: many small allocations, freed at once. The struct is
 * the caller's; its blocks are the arena's. Not thread-safe. Every
 * allocation may fail (cap reached, or out of memory) and then gives NULL,
 * or a struct str whose p is NULL. Nothing is taken until the first use. */
#ifndef RULES_BASE_ARENA_H
#define RULES_BASE_ARENA_H

#include "rules/base/spare_blocks.h"
#include "rules/base/str.h"

#define ARENA_SPARE_OCTETS 4096

struct arena_block;

struct arena {
    struct spare_blocks *spare; /* borrowed; NULL: none */
    struct arena_block *blocks; /* the newest first */
    size_t used_bytes;          /* of all blocks, block heads included */
    size_t cap_bytes;
};

void arena_init(struct arena *arena, size_t cap_bytes);
/* Its blocks, of ARENA_SPARE_OCTETS while they suffice, come from there and go
 * back. The spare ones must outlive the arena. */
void arena_init_spare(struct arena *arena, size_t cap_bytes,
                      struct spare_blocks *spare);
/* Gives back every block; the arena stays usable, with the same cap. */
void arena_reset(struct arena *arena);
/* The same, but keeps one block if it is small, so that what is worked out
 * again and again takes no memory anew. */
void arena_rewind(struct arena *arena);
void arena_release(struct arena *arena);

/* Zeroed octets, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* Zeroed room for `count` items of `bytes` each; NULL on overflow too. */
void *arena_array(struct arena *arena, size_t count, size_t bytes);
/* Copies, with a terminating NUL behind the copy that n does not count. */
struct str arena_str(struct arena *arena, struct str s);
char *arena_cstr(struct arena *arena, struct str s);
/* Copies of a list and its texts; NULL is for the arena that is full alone,
 * not for an empty list. */
const struct str *arena_strs(struct arena *arena, const struct str *items,
                             size_t count);
/* The copy in ASCII lower case. */
struct str arena_lower(struct arena *arena, struct str s);
/* The parts one behind the other; p NULL when a part is NULL, or no memory. */
struct str arena_join(struct arena *arena, const struct str *parts,
                      size_t count);
#define ARENA_JOIN(arena, ...)                                                 \
    arena_join(arena, (const struct str[]){__VA_ARGS__},                       \
               sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for one more item in an array of the arena: doubles the capacity by
 * copying (the old room is given up until the reset). Returns the array,
 * moved or not, or NULL when full; *capacity is kept up. */
void *arena_grow(struct arena *arena, void *items, size_t count,
                 size_t *capacity, size_t item_bytes);

#endif
