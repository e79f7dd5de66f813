/* The texts of one rule's actions, filled in before any of them happens, so
 * that what one action changes does not show in the words of another. They lie
 * in the arena of the effects. */
#ifndef RULES_RULE_TEXTS_H
#define RULES_RULE_TEXTS_H

#include "rules/act.h"

/* A text; where an action takes several and the template is exactly one
 * `{fact}` with several values, each of them. */
struct rule_text {
    struct str one;
    const struct str *items;
    size_t count;
};

/* In the order of struct rule's actions; the reply last. */
struct rule_texts {
    struct rule_text *items;
    size_t count;
};

/* ACT_GO_ON, ACT_NOTHING (one names something absent) or ACT_FAULT. */
enum act_result rule_texts_fill(const struct acting *acting,
                                struct rule_texts *out);

#endif
