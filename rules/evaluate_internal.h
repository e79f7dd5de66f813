/* The evaluation's inside: evaluate.c is the machine, evaluate_condition.c
 * tries the rules, evaluate_limit.c asks their limits, evaluate_correct.c
 * does so again when the message is complete, evaluate_act.c ends a rule,
 * evaluate_ask.c asks its policy server before. */
#ifndef RULES_EVALUATE_INTERNAL_H
#define RULES_EVALUATE_INTERNAL_H

#include "rules/act.h"
#include "rules/trace.h"

struct evaluate_scratch {
    struct arena arena;
    struct regex_scratch *regexes;
    struct view view;
    uint64_t started; /* evaluations so far: each takes the next number */
    uint64_t owner;   /* the number of the one whose view is in here */
};

enum phase {
    PHASE_CORRECT,        /* holds of earlier stages meet the real octets */
    PHASE_CORRECT_ANSWER, /* the difference was asked for */
    PHASE_RULE,           /* the next rule's condition */
    PHASE_LISTED_ANSWER,  /* a dynamic list was asked */
    PHASE_LIMIT,          /* the condition holds */
    PHASE_LIMIT_ANSWER,   /* the limit was asked */
    PHASE_ASK_ANSWER,     /* a policy server was asked */
    PHASE_END
};

enum step { STEP_ON, STEP_ASK, STEP_VERDICT, STEP_FAULT };

/* What the rule in hand looks at. Its arena is emptied when another evaluation
 * begins: it holds what was read of the facts, not what outlives a question. */
struct view *evaluate_view(const struct evaluation *e);
struct view *evaluate_begin_view(struct evaluate_scratch *scratch,
                                 const struct facts *facts);
void evaluate_fault_verdict(const struct rule *rule, const struct view *view,
                            struct verdict *verdict);

/* The ends of a step. */
enum step evaluate_full(struct evaluation *e); /* an arena is */
enum step evaluate_ask(struct evaluation *e, enum phase then);
/* The rule in hand does not act; the next one is tried. */
enum step evaluate_pass_over(struct evaluation *e, enum rule_fate fate);
/* It does what it does, or asks its policy server first. */
enum step evaluate_act(struct evaluation *e,
                       const struct limit_figures *figures, enum phase then,
                       struct verdict *verdict);
enum step evaluate_ask_server(struct evaluation *e,
                              const struct limit_figures *figures,
                              enum phase then);
/* What rule_act() takes, and what follows from what it gave. */
struct acting evaluate_acting(const struct evaluation *e,
                              const struct limit_figures *figures);
enum step evaluate_conclude(struct evaluation *e, enum act_result result,
                            enum phase then, const struct verdict *verdict);
/* A fault of a rule that only pretends is no fault of the stage. */
enum step evaluate_forgive(struct evaluation *e, struct verdict *verdict);

/* Tells the trace how it went with the rule in hand. */
void evaluate_tell(const struct evaluation *e, enum rule_fate fate,
                   const struct fact_ref *absent,
                   const struct verdict *verdict);
/* And of the rules behind it. */
void evaluate_tell_rest(const struct evaluation *e);

/* `text` is the limit's value as written. */
struct limit_figures limit_figures_of(struct str text, uint64_t max,
                                      uint64_t used, uint64_t retry_after_ms);
/* Notes an answered limit in the effects. -1 when the arena is full. */
int evaluate_keep_use(struct evaluation *e);
/* Acts on an answer that says the limit is exceeded. */
enum step evaluate_act_on_answer(struct evaluation *e, enum phase then,
                                 struct verdict *verdict);
/* The limit's value as it was written, in the rule or in a list. */
struct str evaluate_value_text(const struct evaluation *e,
                               const struct limit *limit);

enum step evaluate_step_rule(struct evaluation *e, struct verdict *verdict);
enum step evaluate_step_listed_answer(struct evaluation *e,
                                      struct verdict *verdict);
enum step evaluate_step_limit(struct evaluation *e, struct verdict *verdict);
enum step evaluate_step_limit_answer(struct evaluation *e,
                                     struct verdict *verdict);
enum step evaluate_step_ask_answer(struct evaluation *e,
                                   struct verdict *verdict);
enum step evaluate_step_correct(struct evaluation *e, struct verdict *verdict);
enum step evaluate_step_correct_answer(struct evaluation *e,
                                       struct verdict *verdict);

#endif
