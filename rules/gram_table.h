/* Which of many short texts occur in a text: each is found by three octets of
 * its own, whatever their case, in one walk over the text however many there
 * are. Made once, then only read. Memory is the arena's. */
#ifndef RULES_GRAM_TABLE_H
#define RULES_GRAM_TABLE_H

#include "rules/base/arena.h"

#define GRAM_OCTETS 3

struct gram_slot {
    uint32_t gram;
    uint32_t number; /* 0: free */
};

struct gram_table {
    struct gram_slot *slots;
    size_t capacity; /* a power of two; 0: the table is empty */
};

/* Of the octets from text.p on, of which there are enough. */
uint32_t gram_of(const char *octets);

/* Room for so many. 0, or -1 when the arena is full. */
int gram_table_reserve(struct gram_table *table, struct arena *arena,
                       size_t count);
/* There must be room, and `number` is not 0. */
void gram_table_put(struct gram_table *table, uint32_t gram, uint32_t number);

typedef void on_gram(void *owner, uint32_t number);
/* Tells every number whose gram is in the text, perhaps more than once. */
void gram_table_find(const struct gram_table *table, struct str text,
                     on_gram *then, void *owner);
void gram_table_all(const struct gram_table *table, on_gram *then, void *owner);

#endif
