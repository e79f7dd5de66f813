/* A list of the policy: entries that matchers test against, keys that map to
 * values, or a dynamic list that rules change while running. Frozen but for
 * what `ledger` keeps of dynamic ones. */
#ifndef RULES_LIST_H
#define RULES_LIST_H

#include "rules/fact.h"
#include "rules/string_map.h"

struct matcher;

struct list_entry {
    struct str text;
    struct str value; /* what it maps to; n is 0: nothing */
    size_t line;      /* of the list's file, 0: inline */
};

struct list {
    struct str name;
    const void *origin;
    bool is_dynamic;
    bool is_used;
    struct list_entry *items;
    size_t count;
    size_t capacity;
    struct string_map values; /* lower-case entry → what it maps to */
    /* Compiled for the types of facts that are tested against it. */
    const struct matcher *matchers[FACT_TYPE_FLAG + 1];
};

/* What the key maps to, without regard to case; false when it is not in the
 * list or maps to nothing. `arena` takes the folded key. */
bool list_map(const struct list *list, struct arena *arena, struct str key,
              struct str *out);

#endif
