/* The end of the message against what was declared at MAIL: limits on size
 * and bytes of earlier stages meet the real octets. */
#include "rules/evaluate_internal.h"

/* Of a rule of an earlier stage. */
static enum step is_within(struct evaluation *e)
{
    evaluate_tell(e, FATE_WITHIN, NULL, NULL);
    e->phase = PHASE_CORRECT;
    return STEP_ON;
}

static enum step correct_size(struct evaluation *e, const struct hold *hold,
                              uint64_t octets, struct verdict *verdict)
{
    if (e->trace != NULL && e->trace->on_measured != NULL)
        e->trace->on_measured(e->trace->owner, e->rule, octets, hold->max);
    if (octets <= hold->max)
        return is_within(e);
    struct limit_figures figures = limit_figures_of(
        evaluate_value_text(e, hold->limit), hold->max, octets, 0);
    return evaluate_act(e, &figures, PHASE_CORRECT, verdict);
}

/* More octets than declared are asked for; fewer are what a commit adds. */
static enum step correct_bytes(struct evaluation *e, struct hold *hold,
                               uint64_t octets)
{
    if (octets <= hold->cost) {
        hold->charge = octets;
        return is_within(e);
    }
    e->pending = (struct question){
        .kind = QUESTION_HOLD,
        .rule = hold->rule,
        .limit = hold->limit,
        .key = hold->key,
        .cost = octets - hold->cost,
        .max = hold->max,
        .rate = hold->rate,
        .is_charge = hold->scope == HOLD_CHARGED,
    };
    return evaluate_ask(e, PHASE_CORRECT_ANSWER);
}

static enum step begin_rules(struct evaluation *e)
{
    e->phase = PHASE_RULE;
    e->rule = NULL;
    return STEP_ON;
}

enum step evaluate_step_correct(struct evaluation *e, struct verdict *verdict)
{
    struct effects *effects = e->effects;
    uint64_t octets = 0;
    if (e->stage != STAGE_MESSAGE ||
        e->next_correction >= effects->hold_count ||
        !limit_measured(UNIT_BYTES, e->stage, evaluate_view(e), &octets))
        return begin_rules(e);
    struct hold *hold = &effects->holds[e->next_correction++];
    e->rule = hold->rule;
    e->captures = hold->captures;
    if (hold->is_excess)
        return STEP_ON;
    switch (hold->limit->unit) {
    case UNIT_SIZE:
        return correct_size(e, hold, octets, verdict);
    case UNIT_BYTES:
        return correct_bytes(e, hold, octets);
    default:
        return STEP_ON;
    }
}

/* What is held under another token is settled by itself. */
static int keep_excess(struct evaluation *e, const struct hold *declared)
{
    struct hold excess = *declared;
    excess.cost = excess.charge = e->pending.cost;
    excess.token = e->answer.token;
    excess.is_excess = true;
    return effects_add_hold(e->effects, &excess);
}

static int keep_correction(struct evaluation *e, struct hold *hold)
{
    if (e->answer.token != hold->token) {
        hold->charge = hold->cost;
        return keep_excess(e, hold);
    }
    hold->cost += e->pending.cost;
    hold->charge = hold->cost;
    return 0;
}

enum step evaluate_step_correct_answer(struct evaluation *e,
                                       struct verdict *verdict)
{
    struct hold *hold = &e->effects->holds[e->next_correction - 1];
    if (evaluate_keep_use(e) != 0)
        return evaluate_full(e);
    if (!e->answer.is_within)
        return evaluate_act_on_answer(e, PHASE_CORRECT, verdict);
    return keep_correction(e, hold) != 0 ? evaluate_full(e) : is_within(e);
}
