/* One stage's rules, step by step. Each step looks at where the evaluation
 * stands, does one thing and says whether to go on, to ask, or that a verdict
 * is there. What must outlive a question lies in the arena of the effects;
 * the scratch keeps what was read of the facts until another evaluation comes
 * in between. */
#include "rules/evaluate.h"

#include "rules/evaluate_internal.h"
#include "rules/ruleset_internal.h"

#include <stdlib.h>

#define SCRATCH_BYTES_MAX ((size_t)32 * 1024 * 1024)
/* Above this the scratch is emptied at every entry. */
#define SCRATCH_BYTES_KEPT ((size_t)4 * 1024 * 1024)

struct evaluate_scratch *evaluate_scratch_new(void)
{
    struct evaluate_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    arena_init(&scratch->arena, SCRATCH_BYTES_MAX);
    scratch->regexes = regex_scratch_new();
    if (scratch->regexes == NULL) {
        free(scratch);
        return NULL;
    }
    return scratch;
}

void evaluate_scratch_limit(struct evaluate_scratch *scratch,
                            uint64_t pattern_steps)
{
    regex_scratch_limit(scratch->regexes, pattern_steps > UINT32_MAX
                                              ? UINT32_MAX
                                              : (uint32_t)pattern_steps);
}

void evaluate_scratch_free(struct evaluate_scratch *scratch)
{
    if (scratch == NULL)
        return;
    regex_scratch_free(scratch->regexes);
    arena_release(&scratch->arena);
    free(scratch);
}

struct view *evaluate_begin_view(struct evaluate_scratch *scratch,
                                 const struct facts *facts)
{
    struct view *view = &scratch->view;
    uint64_t losses = view->reader.losses;
    scratch->owner = 0;
    arena_rewind(&scratch->arena);
    fact_reader_init(&view->reader, facts, &scratch->arena);
    view->reader.losses += losses; /* never counts down */
    view->regexes = scratch->regexes;
    view->captures.count = 0;
    view->trace = NULL;
    view->fault = NULL;
    return view;
}

/* Facts that were read before a question need not be read again behind it. */
static void enter_view(struct evaluation *e)
{
    struct evaluate_scratch *scratch = e->scratch;
    if (scratch->owner == e->number && scratch->view.reader.facts == e->facts &&
        scratch->arena.used_bytes <= SCRATCH_BYTES_KEPT) {
        scratch->view.captures.count = 0;
        scratch->view.trace = NULL;
        scratch->view.fault = NULL;
        return;
    }
    evaluate_begin_view(scratch, e->facts);
    scratch->owner = e->number;
}

struct view *evaluate_view(const struct evaluation *e)
{
    return &e->scratch->view;
}

enum step evaluate_full(struct evaluation *e)
{
    evaluate_view(e)->fault = "out of memory";
    return STEP_FAULT;
}

enum step evaluate_ask(struct evaluation *e, enum phase then)
{
    e->phase = (int)then;
    e->pending.is_shadow = e->pending.rule->mode == RULE_SHADOW;
    return STEP_ASK;
}

/* --- what a trace hears --- */

void evaluate_trace(struct evaluation *e, const struct trace *trace)
{
    e->trace = trace;
}

void evaluate_tell(const struct evaluation *e, enum rule_fate fate,
                   const struct fact_ref *absent, const struct verdict *verdict)
{
    if (e->trace != NULL && e->trace->on_rule != NULL)
        e->trace->on_rule(e->trace->owner, e->rule, fate, absent, verdict);
}

void evaluate_tell_rest(const struct evaluation *e)
{
    const struct stage_rules *rules = &e->ruleset->stages[e->stage];
    if (e->trace == NULL || e->trace->on_rule == NULL)
        return;
    for (size_t i = e->next_rule; i < rules->count; i++)
        e->trace->on_rule(e->trace->owner, rules->items[i],
                          rules->items[i]->mode == RULE_OFF ? FATE_OFF
                                                            : FATE_NOT_REACHED,
                          NULL, NULL);
}

/* --- the machine --- */

static enum step step_end(struct evaluation *e, struct verdict *verdict)
{
    (void)e;
    *verdict = (struct verdict){.kind = VERDICT_PASS};
    return STEP_VERDICT;
}

static enum step (*const STEPS[])(struct evaluation *, struct verdict *) = {
    [PHASE_CORRECT] = evaluate_step_correct,
    [PHASE_CORRECT_ANSWER] = evaluate_step_correct_answer,
    [PHASE_RULE] = evaluate_step_rule,
    [PHASE_LISTED_ANSWER] = evaluate_step_listed_answer,
    [PHASE_LIMIT] = evaluate_step_limit,
    [PHASE_LIMIT_ANSWER] = evaluate_step_limit_answer,
    [PHASE_ASK_ANSWER] = evaluate_step_ask_answer,
    [PHASE_END] = step_end,
};

void evaluate_fault_verdict(const struct rule *rule, const struct view *view,
                            struct verdict *verdict)
{
    *verdict = (struct verdict){
        .kind = VERDICT_FAULT,
        .code = 451,
        .enhanced = STR("4.3.5"),
        .text = STR("A rule of this server failed, try again later"),
        .rule = rule,
        .fault = view->fault,
    };
}

void evaluate_start(struct evaluation *e, const struct ruleset *ruleset,
                    enum stage stage, struct facts *facts,
                    struct effects *effects, struct evaluate_scratch *scratch)
{
    *e = (struct evaluation){.ruleset = ruleset,
                             .stage = stage,
                             .facts = facts,
                             .effects = effects,
                             .scratch = scratch,
                             .number = ++scratch->started,
                             .phase = PHASE_CORRECT};
    /* What the client said, before any rule rewrites it. */
    if (stage == STAGE_MAIL && facts_know(facts, FACT_MAIL_FROM))
        facts_set_text(facts, FACT_MAIL_ORIGINAL,
                       facts_text(facts, FACT_MAIL_FROM));
    if (stage == STAGE_RCPT && facts_know(facts, FACT_RCPT_TO))
        facts_set_text(facts, FACT_RCPT_ORIGINAL,
                       facts_text(facts, FACT_RCPT_TO));
}

/* DEFER_IF_REJECT and DEFER_IF_PERMIT of a policy server: what they say
 * depends on how the stage ends. */
static void apply_conditions(const struct evaluation *e,
                             struct verdict *verdict)
{
    if (verdict->kind == VERDICT_REJECT && e->if_reject != NULL)
        *verdict = *e->if_reject;
    else if (verdict->kind == VERDICT_PASS && e->if_permit != NULL)
        *verdict = *e->if_permit;
}

enum evaluate_result evaluate(struct evaluation *e, struct question *question,
                              struct verdict *verdict)
{
    enter_view(e);
    for (;;) {
        enum step step = STEPS[e->phase](e, verdict);
        if (step == STEP_FAULT)
            step = evaluate_forgive(e, verdict);
        switch (step) {
        case STEP_ON:
            break;
        case STEP_ASK:
            *question = e->pending;
            return EVALUATE_QUESTION;
        case STEP_VERDICT:
            apply_conditions(e, verdict);
            evaluate_tell_rest(e);
            e->phase = PHASE_END;
            return EVALUATE_VERDICT;
        case STEP_FAULT:
            evaluate_fault_verdict(e->rule, evaluate_view(e), verdict);
            evaluate_tell(e, FATE_ACTED, NULL, verdict);
            evaluate_tell_rest(e);
            e->phase = PHASE_END;
            return EVALUATE_VERDICT;
        }
    }
}

void evaluate_answer(struct evaluation *e, const struct answer *answer)
{
    e->answer = *answer;
    if (answer->max > 0)
        e->pending.max = answer->max;
    if (e->trace != NULL && e->trace->on_answer != NULL)
        e->trace->on_answer(e->trace->owner, &e->pending, answer);
}
