/* A list of the policy: entries that matchers test against, keys that map to
 * values, or a dynamic list that rules change while running. Frozen but for
 * what `ledger` keeps of dynamic ones.
 *
 * Of a list with a file the octets are kept as they were read, and its
 * entries are walked anew for every type of fact that it is compiled for, so
 * that a million of them take no more room than the tables they end in. */
#ifndef RULES_LIST_H
#define RULES_LIST_H

#include "rules/fact.h"
#include "rules/string_map.h"

struct matcher;

struct list {
    struct str name;
    const void *origin;
    bool is_dynamic;
    bool holds_domains; /* dynamic, and a fact that is a domain is tested */
    bool is_used;
    struct str *items; /* inline entries, trimmed */
    struct str octets; /* of the file; its lines are the entries */
    size_t item_count;
    size_t entry_count;
    struct string_map values; /* folded entry → 1 + index of `mapped` */
    struct str *mapped;
    size_t mapped_count;
    /* By unit, bit 1 << enum limit_unit: that every value fits it, and that
     * they are rates. Found out when a limit first takes its value here. */
    unsigned checked_units, rate_units;
    /* Compiled for the types of facts that are tested against it. */
    const struct matcher *matchers[FACT_TYPE_FLAG + 1];
};

struct list_entry {
    struct str text;
    struct str value; /* what it maps to; n is 0: nothing */
    size_t line;      /* of the list's file, 0: inline */
    size_t index;     /* of an inline entry */
};

/* Walks the entries; starts as {.list = list}. */
struct list_cursor {
    const struct list *list;
    size_t at;
    size_t line;
    size_t index;
};

bool list_next(struct list_cursor *cursor, struct list_entry *out);

/* A value as a dynamic list holds it. p is NULL when the arena is full. */
struct str list_value(const struct list *list, struct arena *arena,
                      struct str text);

/* What the key maps to, without regard to case; false when it is not in the
 * list or maps to nothing. `arena` takes the folded key. */
bool list_map(const struct list *list, struct arena *arena, struct str key,
              struct str *out);

#endif
