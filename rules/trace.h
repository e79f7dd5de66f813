/* What an evaluation tells whoever wants to explain it, step by step. All
 * pointers are valid within the call only. Without a trace an evaluation pays
 * one comparison a step. Any function may be NULL. */
#ifndef RULES_TRACE_H
#define RULES_TRACE_H

#include "rules/evaluate.h"
#include "rules/matcher.h"

struct test;

/* How it went with one rule. */
enum rule_fate {
    FATE_ACTED,       /* it held and did what it does */
    FATE_PRETENDED,   /* the same, but its mode is shadow */
    FATE_NOT_HELD,    /* `when` does not hold */
    FATE_ABSENT,      /* a fact that it names is absent */
    FATE_WITHIN,      /* its limit is not exceeded */
    FATE_NOT_COUNTED, /* nothing of its limit's unit happened here */
    FATE_UNLISTED,    /* its limit is in a list that has no such key */
    FATE_OFF,         /* mode: off */
    FATE_NOT_REACHED  /* a rule before it decided */
};

struct trace {
    void *owner;
    /* A test of `when`: what it came to, and the value that decided. `value`
     * has p NULL when there was none. A rule's tests come before its fate;
     * those behind the one that decided do not come. */
    void (*on_test)(void *owner, const struct test *test, enum truth truth,
                    struct str value);
    /* A limit without a period: what was measured against what. */
    void (*on_measured)(void *owner, const struct rule *rule, uint64_t measured,
                        uint64_t max);
    /* Any question and its answer: a limit before and after, a dynamic list,
     * a policy server. */
    void (*on_answer)(void *owner, const struct question *question,
                      const struct answer *answer);
    /* `absent` is set for FATE_ABSENT, when it is known which. `verdict` is
     * the rule's decision (of FATE_PRETENDED: what it would have been), NULL:
     * it decided nothing. */
    void (*on_rule)(void *owner, const struct rule *rule, enum rule_fate fate,
                    const struct fact_ref *absent,
                    const struct verdict *verdict);
};

#endif
