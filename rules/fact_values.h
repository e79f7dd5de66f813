/* Reads facts: the values that a reference names, parts of addresses and
 * header fields among them. What was read once is kept, also in the form in
 * which it compares, until the facts change, the header is edited or the
 * reader begins anew: a thousand rules about one fact take no more memory
 * than one. Results lie in the reader's arena or are borrowed from the
 * facts. */
#ifndef RULES_FACT_VALUES_H
#define RULES_FACT_VALUES_H

#include "rules/facts.h"

#define FACT_READER_KEEPS 32

struct fact_values {
    bool is_known;
    uint64_t number;             /* of FACT_TYPE_NUMBER */
    const struct str *items;     /* texts; of a number its decimal digits */
    const struct str *canonical; /* the same, as they compare */
    size_t count;
};

struct kept_fact {
    struct fact_ref ref;
    struct fact_values values;
    uint8_t next; /* of the same fact: 1 + its index, 0: none */
};

struct fact_reader {
    const struct facts *facts;
    struct arena *arena;
    uint64_t changes; /* of the facts when they were read */
    uint64_t losses;  /* how often what was kept became worthless */
    struct kept_fact kept[FACT_READER_KEEPS];
    uint8_t kept_count;
    uint8_t first[FACT_COUNT]; /* 1 + index of the first kept, 0: none */
};

void fact_reader_init(struct fact_reader *reader, const struct facts *facts,
                      struct arena *arena);
/* The header was edited: what was read of it no longer holds. */
void fact_reader_forget_header(struct fact_reader *reader);
/* Counts up whenever values read before may no longer be those of the facts. */
uint64_t fact_reader_losses(struct fact_reader *reader);

bool fact_ref_equals(const struct fact_ref *a, const struct fact_ref *b);
bool fact_is_known(const struct facts *facts, const struct fact_ref *ref);
/* 0, or -1 when the arena is full. Absent facts have is_known false. */
int fact_values_read(struct fact_reader *reader, const struct fact_ref *ref,
                     struct fact_values *out);
/* A text as it compares with this fact's values: itself, or one in the arena.
 * p is NULL when that is full. */
struct str fact_canonical(struct arena *arena, const struct fact_ref *ref,
                          struct str text);
/* A number without its digits: takes no memory. False: it is absent. */
bool fact_values_number(const struct facts *facts, enum fact fact,
                        uint64_t *out);

/* The local part or the domain of an address; of "" both are empty, and a
 * text that is no address is in no list as a whole or in parts: it is its own
 * part. */
struct str address_part(struct arena *arena, struct str address,
                        enum fact_part part);

#endif
