/* Rules by their kinds, as YAML. In their texts a `#` is the rule's number
 * among those of its kind, `~` and `%` are its two octets, and `!` is the
 * number of one of the lists that such rules have. */
#ifndef TESTS_BENCH_RULE_KINDS_H
#define TESTS_BENCH_RULE_KINDS_H

#include <stddef.h>

/* Of a site's policy, by stage. */
struct rule_kind {
    const char *stage;
    size_t share; /* of a hundred rules so many; 0: one that every site has */
    const char *body;
};

extern const struct rule_kind rule_kinds[];
extern const size_t rule_kind_count;

#define OWN_LISTS 500

/* The only kind of a policy, and none that holds. */
struct rule_family {
    const char *name;
    const char *stage;
    const char *body;
    size_t entries; /* of each of its lists, @own!; 0: it has none */
};

/* Up to a row without a name. */
extern const struct rule_family rule_families[];

#endif
