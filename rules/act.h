/* What a rule does once it holds and its limit is exceeded: texts are filled
 * in first (one that names something absent keeps the whole rule from
 * acting), then edits, rewrites, lists, tags and notes happen, and last the
 * rule decides. */
#ifndef RULES_ACT_H
#define RULES_ACT_H

#include "rules/evaluate.h"
#include "rules/rule.h"

struct acting {
    const struct rule *rule;
    struct view *view;
    struct facts *facts;
    struct effects *effects;
    const struct limit_figures *figures; /* NULL: the rule has no limit */
    enum stage stage; /* now; a correction acts later than its rule's own */
};

enum act_result {
    ACT_NOTHING, /* something it names is absent */
    ACT_GO_ON,   /* done; the next rule is asked */
    ACT_DECIDED, /* done; *verdict is the stage's */
    ACT_FAULT    /* view->fault says what broke */
};

enum act_result rule_act(const struct acting *acting, struct verdict *verdict);

/* Replaces a fact. `text` is the filled-in template, unused where the rewrite
 * has a guard. 0, or -1 with view->fault. */
int rewrite_apply(const struct acting *acting,
                  const struct rewrite_action *rewrite, struct str text);

#endif
