/* One stage's rules, step by step. Each step looks at where the evaluation
 * stands, does one thing and says whether to go on, to ask, or that a verdict
 * is there. What must outlive a question lies in the arena of the effects;
 * the scratch is empty again whenever evaluate() is entered. */
#include "rules/evaluate.h"

#include "rules/evaluate_internal.h"
#include "rules/ruleset_internal.h"

#include <stdlib.h>

#define SCRATCH_BYTES_MAX ((size_t)32 * 1024 * 1024)

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

void evaluate_scratch_free(struct evaluate_scratch *scratch)
{
    if (scratch == NULL)
        return;
    regex_scratch_free(scratch->regexes);
    arena_release(&scratch->arena);
    free(scratch);
}

static struct view *begin_view(struct evaluate_scratch *scratch,
                               const struct facts *facts)
{
    struct view *view = &scratch->view;
    arena_reset(&scratch->arena);
    fact_reader_init(&view->reader, facts, &scratch->arena);
    view->regexes = scratch->regexes;
    view->captures.count = 0;
    view->fault = NULL;
    return view;
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

enum step evaluate_next_rule(struct evaluation *e)
{
    e->phase = PHASE_RULE;
    return STEP_ON;
}

enum step evaluate_ask(struct evaluation *e, enum phase then)
{
    e->phase = (int)then;
    return STEP_ASK;
}

/* --- acting --- */

enum step evaluate_act(struct evaluation *e,
                       const struct limit_figures *figures, enum phase then,
                       struct verdict *verdict)
{
    struct view *view = evaluate_view(e);
    if (e->captures != NULL)
        view->captures = *e->captures;
    struct acting acting = {.rule = e->rule,
                            .view = view,
                            .facts = e->facts,
                            .effects = e->effects,
                            .figures = figures,
                            .stage = e->stage};
    e->phase = (int)then;
    switch (rule_act(&acting, verdict)) {
    case ACT_DECIDED:
        return STEP_VERDICT;
    case ACT_FAULT:
        return STEP_FAULT;
    default:
        return STEP_ON;
    }
}

/* The part of the value in front of the period. */
static struct str max_text(struct str text)
{
    struct str head, tail;
    str_cut(text, '/', &head, &tail);
    return head;
}

struct limit_figures limit_figures_of(struct str text, uint64_t max,
                                      uint64_t used, uint64_t retry_after_ms)
{
    return (struct limit_figures){
        .max = max_text(text),
        .rate = text,
        .used = used,
        .left = used < max ? max - used : 0,
        .retry_after_ms = retry_after_ms,
    };
}

/* --- conditions --- */

static bool has_required(const struct rule *rule, const struct facts *facts)
{
    for (size_t i = 0; i < rule->required.count; i++)
        if (!fact_is_known(facts, &rule->required.items[i]))
            return false;
    return true;
}

/* The condition holds: what was captured must outlive questions. */
static enum step condition_held(struct evaluation *e)
{
    e->phase = PHASE_LIMIT;
    e->captures = NULL;
    if (evaluate_view(e)->captures.count == 0)
        return STEP_ON;
    e->captures = captures_keep(&evaluate_view(e)->captures, e->effects->arena);
    return e->captures == NULL ? evaluate_full(e) : STEP_ON;
}

static enum step ask_listed(struct evaluation *e)
{
    struct view *view = evaluate_view(e);
    struct str value;
    e->pending = (struct question){.kind = QUESTION_LISTED, .rule = e->rule};
    if (dynamic_question(&e->rule->dynamic, view, e->listed_count,
                         &e->pending.list, &value) != 0)
        return evaluate_full(e);
    e->pending.value = arena_str(e->effects->arena, value);
    if (e->pending.value.p == NULL)
        return evaluate_full(e);
    return evaluate_ask(e, PHASE_LISTED_ANSWER);
}

static enum step begin_listed(struct evaluation *e)
{
    size_t count = 0;
    if (dynamic_question_count(&e->rule->dynamic, evaluate_view(e), &count) !=
        0)
        return evaluate_full(e);
    e->listed = arena_array(e->effects->arena, count + 1, sizeof *e->listed);
    e->listed_count = 0;
    return e->listed == NULL ? evaluate_full(e) : ask_listed(e);
}

static enum step test_condition(struct evaluation *e, const bool *listed)
{
    struct view *view = evaluate_view(e);
    view->captures.count = 0;
    enum truth truth = TRUTH_YES;
    if (e->rule->when != NULL)
        truth = condition_holds(e->rule->when, view, &e->rule->dynamic, listed);
    switch (truth) {
    case TRUTH_YES:
        return condition_held(e);
    case TRUTH_UNKNOWN:
        return begin_listed(e);
    case TRUTH_FAULT:
        return STEP_FAULT;
    default:
        return evaluate_next_rule(e);
    }
}

static enum step step_rule(struct evaluation *e, struct verdict *verdict)
{
    const struct stage_rules *rules = &e->ruleset->stages[e->stage];
    (void)verdict;
    if (e->next_rule == rules->count) {
        e->phase = PHASE_END;
        return STEP_ON;
    }
    e->rule = rules->items[e->next_rule++];
    if (!has_required(e->rule, e->facts))
        return STEP_ON;
    return test_condition(e, NULL);
}

static enum step step_listed_answer(struct evaluation *e,
                                    struct verdict *verdict)
{
    size_t count = 0;
    (void)verdict;
    e->listed[e->listed_count++] = e->answer.is_listed;
    if (dynamic_question_count(&e->rule->dynamic, evaluate_view(e), &count) !=
        0)
        return evaluate_full(e);
    return e->listed_count < count ? ask_listed(e)
                                   : test_condition(e, e->listed);
}

static enum step step_end(struct evaluation *e, struct verdict *verdict)
{
    (void)e;
    *verdict = (struct verdict){.kind = VERDICT_PASS};
    return STEP_VERDICT;
}

/* --- the machine --- */

static enum step (*const STEPS[])(struct evaluation *, struct verdict *) = {
    [PHASE_CORRECT] = evaluate_step_correct,
    [PHASE_CORRECT_ANSWER] = evaluate_step_correct_answer,
    [PHASE_RULE] = step_rule,
    [PHASE_LISTED_ANSWER] = step_listed_answer,
    [PHASE_LIMIT] = evaluate_step_limit,
    [PHASE_LIMIT_ANSWER] = evaluate_step_limit_answer,
    [PHASE_END] = step_end,
};

static void fault_verdict(const struct rule *rule, const struct view *view,
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
                             .phase = PHASE_CORRECT};
    /* What the client said, before any rule rewrites it. */
    if (stage == STAGE_MAIL && facts_know(facts, FACT_MAIL_FROM))
        facts_set_text(facts, FACT_MAIL_ORIGINAL,
                       facts_text(facts, FACT_MAIL_FROM));
    if (stage == STAGE_RCPT && facts_know(facts, FACT_RCPT_TO))
        facts_set_text(facts, FACT_RCPT_ORIGINAL,
                       facts_text(facts, FACT_RCPT_TO));
}

void evaluate_trace(struct evaluation *e, const struct trace *trace)
{
    e->trace = trace;
}

enum evaluate_result evaluate(struct evaluation *e, struct question *question,
                              struct verdict *verdict)
{
    begin_view(e->scratch, e->facts);
    for (;;) {
        switch (STEPS[e->phase](e, verdict)) {
        case STEP_ON:
            break;
        case STEP_ASK:
            *question = e->pending;
            return EVALUATE_QUESTION;
        case STEP_FAULT:
            fault_verdict(e->rule, evaluate_view(e), verdict);
            e->phase = PHASE_END;
            return EVALUATE_VERDICT;
        case STEP_VERDICT:
            e->phase = PHASE_END;
            return EVALUATE_VERDICT;
        }
    }
}

void evaluate_answer(struct evaluation *e, const struct answer *answer)
{
    e->answer = *answer;
}

/* The rule's own words may name what is gone by now. */
static void too_large(const struct rule *rule, struct verdict *verdict)
{
    *verdict = (struct verdict){
        .kind = VERDICT_REJECT,
        .code = 552,
        .enhanced = STR("5.3.4"),
        .text = STR("The message is larger than is allowed"),
        .rule = rule,
    };
}

void evaluate_exceeded(struct facts *facts, struct effects *effects,
                       struct evaluate_scratch *scratch, uint64_t octets,
                       struct verdict *verdict)
{
    const struct rule *rule = effects->size_rule;
    struct view *view = begin_view(scratch, facts);
    struct limit_now now;
    if (effects->size_captures != NULL)
        view->captures = *effects->size_captures;
    if (limit_resolve(rule->limit, view, &now) != 0)
        now.text = rule->limit->text;
    struct limit_figures figures =
        limit_figures_of(now.text, effects->size_max, octets, 0);
    struct acting acting = {.rule = rule,
                            .view = view,
                            .facts = facts,
                            .effects = effects,
                            .figures = &figures,
                            .stage = rule->stage};
    switch (rule_act(&acting, verdict)) {
    case ACT_DECIDED:
        return;
    case ACT_FAULT:
        fault_verdict(rule, view, verdict);
        return;
    default:
        too_large(rule, verdict);
    }
}
