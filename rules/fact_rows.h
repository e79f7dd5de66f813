/* Of one fact: from the keys that its values may have to rows of rules. Made
 * with the index, then only read. Memory is the arena's.
 *
 * What is looked up may find a key that a value does not have (half of what a
 * text must hold, a network that is too small), never miss one that it has. */
#ifndef RULES_FACT_ROWS_H
#define RULES_FACT_ROWS_H

#include "rules/gram_table.h"
#include "rules/rule_guard.h"

/* Its networks by first address, the larger in front: the last that begins at
 * or before an address, and those around it, are all that may hold it. */
struct network_row {
    struct guard_network network;
    uint32_t around; /* 1 + index of the next larger that holds it; 0: none */
    uint32_t row;
};

struct range_row {
    struct number_range range;
    uint32_t row;
};

struct list_row {
    const struct matcher *list;
    uint32_t row;
};

/* Rows count from 1; 0 is none. */
struct fact_rows {
    struct fact_ref ref;
    enum fact_type type;
    struct string_map keys[GUARD_KINDS]; /* a key's octets → its row */
    size_t key_count;                    /* of all but GUARD_PRESENT */
    /* What is not found by its octets, once sealed. */
    struct network_row *networks;
    size_t network_count;
    struct range_row *ranges;
    size_t range_count;
    struct list_row *lists;
    size_t list_count;
    struct gram_table grams;
};

/* The slot of a key, or NULL when the arena is full; its octets are copied.
 * Of GUARD_TEXT the octets are a gram's. */
struct string_map_slot *fact_rows_put(struct fact_rows *rows,
                                      struct arena *arena,
                                      const struct guard_key *key);
/* Its row, or 0. */
uint32_t fact_rows_get(const struct fact_rows *rows,
                       const struct guard_key *key);
/* When all keys are there. 0, or -1 when the arena is full. */
int fact_rows_seal(struct fact_rows *rows, struct arena *arena);

typedef void on_row(void *owner, uint32_t row);
/* Tells the rows of all that the fact has now. 0, or -1 when it could not be
 * read. */
int fact_rows_find(const struct fact_rows *rows, struct fact_reader *reader,
                   on_row *then, void *owner);

#endif
