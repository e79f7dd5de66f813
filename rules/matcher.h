/* One compiled set of values: what a test or a list compares with. Exact
 * entries and whole domains are looked up by hash, networks and numbers by
 * binary search; globs and patterns are tried one by one. Compiled by
 * matcher_compile.c, immutable afterwards. */
#ifndef RULES_MATCHER_H
#define RULES_MATCHER_H

#include "rules/network_set.h"
#include "rules/template.h"

enum truth {
    TRUTH_NO,
    TRUTH_YES,
    TRUTH_UNKNOWN, /* a dynamic list must be asked */
    TRUTH_FAULT    /* view->fault says what broke */
};

/* Flags of an entry in a map of names or domains. */
#define MATCH_SELF 1u  /* the name itself */
#define MATCH_BELOW 2u /* all names below it */

struct number_range {
    uint64_t low, high; /* both included */
};

struct matcher {
    enum fact_type type;
    bool captures;             /* its patterns' groups are the rule's */
    struct string_map exact;   /* canonical text; of names with the flags */
    struct string_map domains; /* of addresses: any mailbox there */
    struct str *globs;
    size_t glob_count, glob_capacity;
    const struct regex **regexes;
    size_t regex_count, regex_capacity;
    struct network_set networks;
    struct number_range *ranges; /* sorted, apart */
    size_t range_count, range_capacity;
    const struct matcher **lists; /* compiled for the same type */
    size_t list_count, list_capacity;
    const struct list **dynamic;
    size_t dynamic_count, dynamic_capacity;
    struct template *templates;
    size_t template_count, template_capacity;
    struct str beyond_ascii; /* of a list for names: the first such entry */
};

/* Whether the fact's value number `index` is in the set. `listed` holds the
 * answers about this value, one a dynamic list; NULL: not yet asked. */
enum truth matcher_matches(const struct matcher *matcher, struct view *view,
                           const struct fact_ref *ref,
                           const struct fact_values *values, size_t index,
                           const bool *listed);

/* Whether the value number `index` is among its entries that are neither
 * patterns nor templates; lists that it names are not looked at. */
bool matcher_holds(const struct matcher *matcher,
                   const struct fact_values *values, size_t index);

/* Whether one of its patterns matches the text; its groups are captured. */
enum truth matcher_matches_pattern(const struct matcher *matcher,
                                   struct view *view, struct str text);

#endif
