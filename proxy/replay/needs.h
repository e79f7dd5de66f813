/* Which rules of a policy name facts that a log may lack, so that no verdict
 * is guessed. */
#ifndef PROXY_REPLAY_NEEDS_H
#define PROXY_REPLAY_NEEDS_H

#include "rules/rule.h"

struct ruleset;

struct need {
    const struct rule *rule;
    struct fact_ref ref;
};

/* Of each stage, in the order of the rules. */
struct needs {
    struct need *items;
    size_t count, capacity;
    size_t start[STAGE_COUNT + 1];
    bool has_time; /* a rule names time.* */
};

/* 0, or -1: out of memory. Borrows from the rules. */
int needs_init(struct needs *needs, const struct ruleset *rules);
void needs_release(struct needs *needs);

#endif
