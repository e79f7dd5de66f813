/* The evaluation's inside, shared by evaluate.c (the machine and conditions)
 * and evaluate_limit.c (limits, and what the end of a message corrects). */
#ifndef RULES_EVALUATE_INTERNAL_H
#define RULES_EVALUATE_INTERNAL_H

#include "rules/act.h"

struct evaluate_scratch {
    struct arena arena;
    struct regex_scratch *regexes;
    struct view view;
};

enum phase {
    PHASE_CORRECT,        /* holds of earlier stages meet the real octets */
    PHASE_CORRECT_ANSWER, /* the difference was asked for */
    PHASE_RULE,           /* the next rule's condition */
    PHASE_LISTED_ANSWER,  /* a dynamic list was asked */
    PHASE_LIMIT,          /* the condition holds */
    PHASE_LIMIT_ANSWER,   /* the limit was asked */
    PHASE_END
};

enum step { STEP_ON, STEP_ASK, STEP_VERDICT, STEP_FAULT };

/* What the rule in hand looks at; its arena is emptied at every entry. */
struct view *evaluate_view(const struct evaluation *e);

/* The ends of a step. */
enum step evaluate_full(struct evaluation *e); /* an arena is */
enum step evaluate_next_rule(struct evaluation *e);
enum step evaluate_ask(struct evaluation *e, enum phase then);
enum step evaluate_act(struct evaluation *e,
                       const struct limit_figures *figures, enum phase then,
                       struct verdict *verdict);

/* `text` is the limit's value as written. */
struct limit_figures limit_figures_of(struct str text, uint64_t max,
                                      uint64_t used, uint64_t retry_after_ms);

enum step evaluate_step_limit(struct evaluation *e, struct verdict *verdict);
enum step evaluate_step_limit_answer(struct evaluation *e,
                                     struct verdict *verdict);
enum step evaluate_step_correct(struct evaluation *e, struct verdict *verdict);
enum step evaluate_step_correct_answer(struct evaluation *e,
                                       struct verdict *verdict);

#endif
