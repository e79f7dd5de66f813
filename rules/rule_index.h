/* Which rules of a stage may hold at all, when many of them want one fact to
 * be one of some literal values: a table from each value to the rules that
 * want it. Rules of any other kind are always candidates, and candidates come
 * in the order of the rules, so that trying only them decides the same as
 * trying all. Made when the ruleset is frozen, then only read. */
#ifndef RULES_RULE_INDEX_H
#define RULES_RULE_INDEX_H

#include "rules/fact_values.h"

struct rule;
struct rule_index;

/* What one evaluation found last; starts zeroed. */
struct rule_cursor {
    bool is_valid;
    uint64_t losses; /* of the reader, when it was found */
    size_t next;     /* the first candidate by value */
};

/* NULL when it would save nothing, or the arena is full: then every rule is
 * to be tried. */
struct rule_index *rule_index_new(struct arena *arena,
                                  struct rule *const *rules, size_t count);
/* The first rule at or behind `from` that may hold; the count of the rules
 * when there is none. */
size_t rule_index_next(const struct rule_index *index,
                       struct rule_cursor *cursor, struct fact_reader *reader,
                       size_t from);

#endif
