#include "rules/address.h"
#include "rules/evaluate_internal.h"

/* Units that count once in a transaction or session. */
static bool is_counted(const struct evaluation *e)
{
    for (size_t i = 0; i < e->effects->hold_count; i++)
        if (e->effects->holds[i].rule == e->rule)
            return true;
    return false;
}

static struct hold *add_hold(struct evaluation *e, const struct hold *hold)
{
    struct effects *effects = e->effects;
    struct hold *items =
        arena_grow(effects->arena, effects->holds, effects->hold_count,
                   &effects->hold_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    effects->holds = items;
    items[effects->hold_count] = *hold;
    return &items[effects->hold_count++];
}

static int keep_use(struct evaluation *e)
{
    struct effects *effects = e->effects;
    struct limit_use *items =
        arena_grow(effects->arena, effects->uses, effects->use_count,
                   &effects->use_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->uses = items;
    items[effects->use_count++] = (struct limit_use){
        .rule = e->pending.rule,
        .key = e->pending.key,
        .before = e->answer.before,
        .after = e->answer.after,
        .max = e->pending.max,
    };
    return 0;
}

/* Nothing is reserved: it is kept so that the real octets meet it later. */
static enum step remember_size(struct evaluation *e,
                               const struct limit_now *now)
{
    struct effects *effects = e->effects;
    struct hold hold = {.limit = e->rule->limit,
                        .rule = e->rule,
                        .key = STR(""),
                        .max = now->rate.amount,
                        .scope = HOLD_CHARGED,
                        .is_settled = true,
                        .captures = e->captures};
    if (add_hold(e, &hold) == NULL)
        return evaluate_full(e);
    if (e->rule->decision > DECISION_ACCEPT && hold.max < effects->size_max) {
        effects->size_max = hold.max;
        effects->size_rule = e->rule;
        effects->size_captures = e->captures;
    }
    return evaluate_next_rule(e);
}

/* A limit without a period: this message against a number. */
static enum step compare(struct evaluation *e, const struct limit_now *now,
                         struct verdict *verdict)
{
    enum limit_unit unit = e->rule->limit->unit;
    uint64_t measured = 0;
    bool is_known = limit_measured(unit, e->stage, evaluate_view(e), &measured);
    if (is_known && measured > now->rate.amount) {
        struct limit_figures figures =
            limit_figures_of(now->text, now->rate.amount, measured, 0);
        return evaluate_act(e, &figures, PHASE_RULE, verdict);
    }
    if (unit == UNIT_SIZE && e->stage != STAGE_MESSAGE)
        return remember_size(e, now);
    return evaluate_next_rule(e);
}

/* Whether there is something to count here and now. */
static bool is_countable(const struct evaluation *e)
{
    const struct facts *facts = e->facts;
    uint64_t code;
    switch (e->rule->limit->unit) {
    case UNIT_FAILURES:
        return str_equals(facts_text(facts, FACT_AUTH_RESULT), STR("failed"));
    case UNIT_REJECTS:
        code = facts->values[FACT_REPLY_CODE].number;
        return facts_know(facts, FACT_REPLY_CODE) && code >= 500 && code < 600;
    case UNIT_MESSAGES:
    case UNIT_CONNECTIONS:
    case UNIT_BYTES:
        return !is_counted(e);
    default:
        return true;
    }
}

/* The first template of `by` whose facts all exist. */
static enum template_result find_key(const struct evaluation *e,
                                     struct str *out)
{
    const struct limit *limit = e->rule->limit;
    struct view *view = evaluate_view(e);
    struct str text = STR("");
    enum template_result rc =
        limit->by_count == 0 ? TEMPLATE_OK : TEMPLATE_ABSENT;
    for (size_t i = 0; rc == TEMPLATE_ABSENT && i < limit->by_count; i++)
        rc = template_render(&limit->by[i], view, NULL, view->reader.arena,
                             &text);
    if (rc != TEMPLATE_OK)
        return rc;
    /* Keys that differ in case alone are one budget. */
    *out = address_canonical(e->effects->arena, text);
    return out->p == NULL ? TEMPLATE_FULL : TEMPLATE_OK;
}

static uint64_t cost_of(const struct evaluation *e)
{
    uint64_t octets = 0;
    if (e->rule->limit->unit != UNIT_BYTES)
        return 1;
    (void)limit_measured(UNIT_BYTES, e->stage, evaluate_view(e), &octets);
    return octets;
}

static bool is_charged(const struct limit *limit, const struct rate *rate)
{
    return limit->counts_attempts || limit->unit == UNIT_FAILURES ||
           limit->unit == UNIT_REJECTS ||
           (limit->unit == UNIT_CONNECTIONS && rate->period_ms != 0);
}

static enum step ask_limit(struct evaluation *e, const struct limit_now *now)
{
    struct str key;
    enum template_result rc = find_key(e, &key);
    if (rc == TEMPLATE_ABSENT)
        return evaluate_next_rule(e);
    if (rc != TEMPLATE_OK)
        return evaluate_full(e);
    e->pending = (struct question){
        .kind = QUESTION_HOLD,
        .rule = e->rule,
        .limit = e->rule->limit,
        .key = key,
        .cost = cost_of(e),
        .max = now->burst,
        .rate = now->rate,
        .is_charge = is_charged(e->rule->limit, &now->rate),
    };
    return evaluate_ask(e, PHASE_LIMIT_ANSWER);
}

static enum step resolve(struct evaluation *e, struct limit_now *now)
{
    switch (limit_resolve(e->rule->limit, evaluate_view(e), now)) {
    case 0:
        return STEP_ON;
    case TEMPLATE_ABSENT:
        return STEP_VERDICT; /* the rule does not act */
    case TEMPLATE_FULL:
        return evaluate_full(e);
    default:
        evaluate_view(e)->fault = "a list maps to what is no limit";
        return STEP_FAULT;
    }
}

enum step evaluate_step_limit(struct evaluation *e, struct verdict *verdict)
{
    const struct limit *limit = e->rule->limit;
    struct limit_now now;
    if (limit == NULL)
        return evaluate_act(e, NULL, PHASE_RULE, verdict);
    if (e->captures != NULL)
        evaluate_view(e)->captures = *e->captures;
    enum step step = resolve(e, &now);
    if (step != STEP_ON)
        return step == STEP_VERDICT ? evaluate_next_rule(e) : step;
    if (now.rate.period_ms == 0 && limit->unit != UNIT_CONNECTIONS)
        return compare(e, &now, verdict);
    return is_countable(e) ? ask_limit(e, &now) : evaluate_next_rule(e);
}

static enum hold_scope scope_of(const struct question *question)
{
    if (question->is_charge)
        return HOLD_CHARGED;
    switch (question->limit->unit) {
    case UNIT_CONNECTIONS:
        return HOLD_SESSION;
    case UNIT_RECIPIENTS:
        return HOLD_RECIPIENT;
    default:
        return HOLD_TRANSACTION;
    }
}

static enum step keep_hold(struct evaluation *e)
{
    const struct question *question = &e->pending;
    uint64_t recipients = e->facts->values[FACT_RCPT_COUNT].number;
    struct hold hold = {
        .limit = question->limit,
        .rule = question->rule,
        .key = question->key,
        .cost = question->cost,
        .charge = question->cost,
        .max = question->max,
        .rate = question->rate,
        .scope = scope_of(question),
        .recipient = recipients > 0 ? (size_t)recipients - 1 : 0,
        .is_settled = question->is_charge,
        .captures = e->captures,
    };
    return add_hold(e, &hold) == NULL ? evaluate_full(e)
                                      : evaluate_next_rule(e);
}

/* The limit's value as it was written, in the rule or in a list. */
static struct str value_text(const struct evaluation *e,
                             const struct limit *limit)
{
    struct limit_now now;
    if (e->captures != NULL)
        evaluate_view(e)->captures = *e->captures;
    return limit_resolve(limit, evaluate_view(e), &now) == 0 ? now.text
                                                             : limit->text;
}

static enum step act_on_answer(struct evaluation *e, enum phase then,
                               struct verdict *verdict)
{
    struct limit_figures figures =
        limit_figures_of(value_text(e, e->pending.limit), e->pending.max,
                         e->answer.before, e->answer.retry_after_ms);
    return evaluate_act(e, &figures, then, verdict);
}

enum step evaluate_step_limit_answer(struct evaluation *e,
                                     struct verdict *verdict)
{
    if (keep_use(e) != 0)
        return evaluate_full(e);
    if (e->answer.is_within)
        return keep_hold(e);
    return act_on_answer(e, PHASE_RULE, verdict);
}

/* --- the end of the message against what was declared --- */

static enum step correct_size(struct evaluation *e, const struct hold *hold,
                              uint64_t octets, struct verdict *verdict)
{
    if (octets <= hold->max)
        return STEP_ON;
    struct limit_figures figures =
        limit_figures_of(value_text(e, hold->limit), hold->max, octets, 0);
    return evaluate_act(e, &figures, PHASE_CORRECT, verdict);
}

/* More octets than declared are asked for; fewer are what a commit adds. */
static enum step correct_bytes(struct evaluation *e, struct hold *hold,
                               uint64_t octets)
{
    if (octets <= hold->cost) {
        hold->charge = octets;
        return STEP_ON;
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

enum step evaluate_step_correct(struct evaluation *e, struct verdict *verdict)
{
    struct effects *effects = e->effects;
    uint64_t octets = 0;
    if (e->stage != STAGE_MESSAGE ||
        e->next_correction >= effects->hold_count ||
        !limit_measured(UNIT_BYTES, e->stage, evaluate_view(e), &octets))
        return evaluate_next_rule(e);
    struct hold *hold = &effects->holds[e->next_correction++];
    e->rule = hold->rule;
    e->captures = hold->captures;
    switch (hold->limit->unit) {
    case UNIT_SIZE:
        return correct_size(e, hold, octets, verdict);
    case UNIT_BYTES:
        return correct_bytes(e, hold, octets);
    default:
        return STEP_ON;
    }
}

enum step evaluate_step_correct_answer(struct evaluation *e,
                                       struct verdict *verdict)
{
    struct hold *hold = &e->effects->holds[e->next_correction - 1];
    if (keep_use(e) != 0)
        return evaluate_full(e);
    if (!e->answer.is_within)
        return act_on_answer(e, PHASE_CORRECT, verdict);
    hold->cost += e->pending.cost;
    hold->charge = hold->cost;
    e->phase = PHASE_CORRECT;
    return STEP_ON;
}
