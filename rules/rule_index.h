/* Which rules of a stage may act at all: each that can be is found by a guard,
 * a part of its condition that does not hold unless a fact has one of certain
 * keys. Rules without are always candidates, and candidates come in the order
 * of the rules, so that trying only them decides the same as trying all. Made
 * when the ruleset is frozen, then only read. */
#ifndef RULES_RULE_INDEX_H
#define RULES_RULE_INDEX_H

#include "rules/fact_values.h"

struct rule;
struct rule_index;

/* What one evaluation found last; starts zeroed. */
struct rule_cursor {
    const uint64_t *candidates; /* a bit a rule; in the reader's arena */
    uint64_t losses;            /* of the reader, when they were found */
};

/* NULL when it would save nothing, or the arena is full: then every rule is
 * to be tried. */
struct rule_index *rule_index_new(struct arena *arena,
                                  struct rule *const *rules, size_t count);
/* The first rule at or behind `from` that may act; the count of the rules
 * when there is none. */
size_t rule_index_next(const struct rule_index *index,
                       struct rule_cursor *cursor, struct fact_reader *reader,
                       size_t from);

#endif
