/* Reads facts: the values that a reference names, parts of addresses and
 * header fields among them. Header fields are parsed on demand and kept until
 * the reader is begun anew or the header was edited. Results lie in the
 * reader's arena or are borrowed from the facts. */
#ifndef RULES_FACT_VALUES_H
#define RULES_FACT_VALUES_H

#include "rules/facts.h"

#define FACT_READER_KEEPS 8

struct fact_values {
    bool is_known;
    uint64_t number;         /* of FACT_TYPE_NUMBER */
    const struct str *items; /* texts; of a number its decimal digits */
    size_t count;
};

struct fact_reader {
    const struct facts *facts;
    struct arena *arena;
    struct {
        struct fact_ref ref;
        struct fact_values values;
    } kept[FACT_READER_KEEPS];
    size_t kept_count;
};

void fact_reader_init(struct fact_reader *reader, const struct facts *facts,
                      struct arena *arena);
/* The header was edited: what was read of it no longer holds. */
void fact_reader_forget_header(struct fact_reader *reader);

bool fact_ref_equals(const struct fact_ref *a, const struct fact_ref *b);
bool fact_is_known(const struct facts *facts, const struct fact_ref *ref);
/* 0, or -1 when the arena is full. Absent facts have is_known false. */
int fact_values_read(struct fact_reader *reader, const struct fact_ref *ref,
                     struct fact_values *out);
/* A number without its digits: takes no memory. False: it is absent. */
bool fact_values_number(const struct facts *facts, enum fact fact,
                        uint64_t *out);

/* The local part or the domain of an address; of "" both are empty, and a
 * text that is no address is in no list as a whole or in parts: it is its own
 * part. */
struct str address_part(struct arena *arena, struct str address,
                        enum fact_part part);

#endif
