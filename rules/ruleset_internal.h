/* The inside of a ruleset: for the builder, which makes it, and for the
 * evaluation, which reads it. */
#ifndef RULES_RULESET_INTERNAL_H
#define RULES_RULESET_INTERNAL_H

#include "rules/rule.h"
#include "rules/rule_index.h"
#include "rules/ruleset.h"

struct stage_rules {
    struct rule **items;
    size_t count, capacity;
    const struct rule_index *index; /* NULL: every rule is tried */
};

struct ruleset {
    struct arena arena;
    struct stage_rules stages[STAGE_COUNT];
    struct list **lists;
    size_t list_count, list_capacity;
    struct regex **regexes; /* all of them, to be freed */
    size_t regex_count, regex_capacity;
    struct fact_ref *facts; /* that rules name */
    size_t fact_count, fact_capacity;
    struct str *asks; /* policy servers that rules name */
    size_t ask_count, ask_capacity;
    struct str *routes;
    size_t route_count, route_capacity;
};

#endif
