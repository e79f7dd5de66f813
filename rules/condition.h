/* The tree of `when`: tests of facts, combined. Immutable once built. A
 * condition that asks dynamic lists is first tried without them; only if they
 * decide are they asked, all of one rule in a row. */
#ifndef RULES_CONDITION_H
#define RULES_CONDITION_H

#include "rules/matcher.h"

enum quantifier {
    QUANTIFIER_ANY_IN,  /* any value in the set */
    QUANTIFIER_ANY_OUT, /* any value outside: not_in */
    QUANTIFIER_EVERY_IN,
    QUANTIFIER_NONE_IN,
    QUANTIFIER_EXISTS,
    QUANTIFIER_MISSING /* exists: false */
};

/* How many of a test's values are kept as written. */
#define TEST_WRITTEN_MAX 8

struct test {
    struct fact_ref fact;
    enum quantifier quantifier;
    struct matcher matcher;
    /* As it was written, for explanations: the word of the long form, empty
     * for the short one, and the first of the values. */
    struct str word;
    const struct str *written;
    size_t written_count; /* at most TEST_WRITTEN_MAX */
    size_t value_count;   /* of all of them */
};

enum condition_kind {
    CONDITION_TEST,
    CONDITION_ALL,
    CONDITION_ANY,
    CONDITION_NOT
};

struct condition {
    enum condition_kind kind;
    struct test test;
    struct condition **parts; /* ALL, ANY; of NOT the first alone */
    size_t part_count;
};

/* The tests of one rule that name dynamic lists, in the order of asking. */
struct dynamic_tests {
    const struct test **items;
    size_t count, capacity;
};

/* `listed`: the answers in the order of dynamic_question(), or NULL. */
enum truth condition_holds(const struct condition *condition, struct view *view,
                           const struct dynamic_tests *tests,
                           const bool *listed);

/* How many questions there are, or -1 when the arena is full; which list and
 * value (canonical) question `index` is about. */
int dynamic_question_count(const struct dynamic_tests *tests, struct view *view,
                           size_t *out);
int dynamic_question(const struct dynamic_tests *tests, struct view *view,
                     size_t index, const struct list **list, struct str *value);

#endif
