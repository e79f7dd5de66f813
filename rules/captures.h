/* What the patterns of one rule captured: `{1}`, `{name}`. Of several
 * patterns that matched the last one that has the group counts. */
#ifndef RULES_CAPTURES_H
#define RULES_CAPTURES_H

#include "rules/base/arena.h"
#include "rules/regex.h"

#define CAPTURES_SETS_MAX 4

struct capture_set {
    const struct regex *regex;
    const struct str *groups; /* the whole match first */
    size_t count;
};

struct captures {
    struct capture_set sets[CAPTURES_SETS_MAX]; /* the latest at the end */
    size_t count;
};

/* Copies the groups into the arena, their texts not. -1 when it is full. */
int captures_add(struct captures *captures, struct arena *arena,
                 const struct regex *regex, const struct regex_match *match);
/* A copy with all its texts, or NULL when the arena is full. */
const struct captures *captures_keep(const struct captures *captures,
                                     struct arena *arena);

/* False when no pattern that matched has such a group. */
bool captures_numbered(const struct captures *captures, size_t number,
                       struct str *out);
bool captures_named(const struct captures *captures, struct str name,
                    struct str *out);

#endif
