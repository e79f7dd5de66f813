/* What a rule does once it holds and its limit is exceeded: texts are filled
 * in first (one that names something absent keeps the whole rule from
 * acting), then edits, rewrites, lists, recipients, tags and notes happen, and
 * last the rule decides. In shadow nothing happens but that it is said. */
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
    const char *did;  /* for the log; NULL: the rule's own word */
};

enum act_result {
    ACT_NOTHING,   /* something it names is absent */
    ACT_GO_ON,     /* done; the next rule is asked */
    ACT_DECIDED,   /* done; *verdict is the stage's */
    ACT_PRETENDED, /* mode: shadow; *verdict is what it would have been */
    ACT_FAULT      /* view->fault says what broke */
};

/* ACT_GO_ON, or why it will not: ACT_NOTHING, ACT_FAULT. Does nothing. */
enum act_result rule_can_act(const struct acting *acting);
enum act_result rule_act(const struct acting *acting, struct verdict *verdict);

/* Replaces a fact. `text` is the filled-in template, unused where the rewrite
 * has a guard. 0, or -1 with view->fault. */
int rewrite_apply(const struct acting *acting,
                  const struct rewrite_action *rewrite, struct str text);

#endif
