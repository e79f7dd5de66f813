/* How a rule ends: it acts, or pretends to, or is passed over. */
#include "rules/evaluate_internal.h"

enum step evaluate_pass_over(struct evaluation *e, enum rule_fate fate)
{
    evaluate_tell(e, fate, NULL, NULL);
    e->phase = PHASE_RULE;
    return STEP_ON;
}

struct acting evaluate_acting(const struct evaluation *e,
                              const struct limit_figures *figures)
{
    struct view *view = evaluate_view(e);
    if (e->captures != NULL)
        view->captures = *e->captures;
    return (struct acting){.rule = e->rule,
                           .view = view,
                           .facts = e->facts,
                           .effects = e->effects,
                           .figures = figures,
                           .stage = e->stage};
}

enum step evaluate_conclude(struct evaluation *e, enum act_result result,
                            enum phase then, const struct verdict *verdict)
{
    bool decides = e->rule->decision != DECISION_NONE;
    e->phase = (int)then;
    switch (result) {
    case ACT_DECIDED:
        evaluate_tell(e, FATE_ACTED, NULL, verdict);
        return STEP_VERDICT;
    case ACT_FAULT:
        return STEP_FAULT;
    case ACT_PRETENDED:
        evaluate_tell(e, FATE_PRETENDED, NULL, decides ? verdict : NULL);
        return STEP_ON;
    case ACT_NOTHING:
        evaluate_tell(e, FATE_ABSENT, NULL, NULL);
        return STEP_ON;
    default:
        evaluate_tell(e, FATE_ACTED, NULL, NULL);
        return STEP_ON;
    }
}

enum step evaluate_forgive(struct evaluation *e, struct verdict *verdict)
{
    if (e->rule == NULL || e->rule->mode != RULE_SHADOW)
        return STEP_FAULT;
    struct acted acted = {e->rule->stage, e->rule, "fault", true};
    evaluate_fault_verdict(e->rule, evaluate_view(e), verdict);
    evaluate_tell(e, FATE_PRETENDED, NULL, verdict);
    (void)effects_add_acted(e->effects, &acted);
    evaluate_begin_view(e->scratch, e->facts);
    e->phase = e->phase == PHASE_CORRECT || e->phase == PHASE_CORRECT_ANSWER
                   ? PHASE_CORRECT
                   : PHASE_RULE;
    return STEP_ON;
}

enum step evaluate_act(struct evaluation *e,
                       const struct limit_figures *figures, enum phase then,
                       struct verdict *verdict)
{
    if (e->rule->ask.n > 0 && e->rule->mode == RULE_LIVE)
        return evaluate_ask_server(e, figures, then);
    struct acting acting = evaluate_acting(e, figures);
    return evaluate_conclude(e, rule_act(&acting, verdict), then, verdict);
}

/* --- a size that the streamed octets passed --- */

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
    struct view *view = evaluate_begin_view(scratch, facts);
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
        evaluate_fault_verdict(rule, view, verdict);
        return;
    default:
        too_large(rule, verdict);
    }
}
