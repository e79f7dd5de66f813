/* A rule whose condition holds meets its limit: it is compared, or asked for
 * in the budgets, and the rule acts if it is exceeded. */
#include "rules/evaluate_internal.h"

#include "rules/address.h"

/* Units that count once in a transaction or session. */
static bool is_counted(const struct evaluation *e)
{
    for (size_t i = 0; i < e->effects->hold_count; i++)
        if (e->effects->holds[i].rule == e->rule)
            return true;
    return false;
}

/* Whether this use is the one that passes the limit's `warn`. */
static bool passes_warning(const struct evaluation *e)
{
    uint64_t percent = e->pending.limit->warn_percent;
    uint64_t from = (e->pending.max * percent + 99) / 100;
    return percent > 0 && e->answer.is_within && e->answer.before < from &&
           e->answer.after >= from;
}

int evaluate_keep_use(struct evaluation *e)
{
    bool is_warning = passes_warning(e);
    struct limit_use use = {
        .rule = e->pending.rule,
        .key = e->pending.key,
        .before = e->answer.before,
        .after = e->answer.after,
        .max = e->pending.max,
        .retry_after_ms = e->answer.retry_after_ms,
        .paced_ms = e->answer.paced_ms,
        .is_within = e->answer.is_within,
        .is_warning = is_warning,
        .is_unwritten = is_warning,
    };
    return effects_add_use(e->effects, &use);
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

/* Nothing is reserved: it is kept so that the real octets meet it later. */
static int remember_size(struct evaluation *e, const struct limit_now *now)
{
    struct effects *effects = e->effects;
    struct hold hold = {.limit = e->rule->limit,
                        .rule = e->rule,
                        .key = STR(""),
                        .max = now->rate.amount,
                        .scope = HOLD_CHARGED,
                        .is_settled = true,
                        .captures = e->captures};
    if (effects_add_hold(effects, &hold) != 0)
        return -1;
    if (e->rule->mode == RULE_LIVE && e->rule->decision > DECISION_ACCEPT &&
        hold.max < effects->size_max) {
        effects->size_max = hold.max;
        effects->size_rule = e->rule;
        effects->size_captures = e->captures;
    }
    return 0;
}

/* A limit without a period: this message against a number. */
static enum step compare(struct evaluation *e, const struct limit_now *now,
                         struct verdict *verdict)
{
    enum limit_unit unit = e->rule->limit->unit;
    uint64_t measured = 0;
    bool is_known = limit_measured(unit, e->stage, evaluate_view(e), &measured);
    if (is_known && e->trace != NULL && e->trace->on_measured != NULL)
        e->trace->on_measured(e->trace->owner, e->rule, measured,
                              now->rate.amount);
    if (is_known && measured > now->rate.amount) {
        struct limit_figures figures =
            limit_figures_of(now->text, now->rate.amount, measured, 0);
        return evaluate_act(e, &figures, PHASE_RULE, verdict);
    }
    if (unit == UNIT_SIZE && e->stage != STAGE_MESSAGE &&
        remember_size(e, now) != 0)
        return evaluate_full(e);
    return evaluate_pass_over(e, is_known ? FATE_WITHIN : FATE_NOT_COUNTED);
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
    case UNIT_NETWORKS:
        return facts_know(facts, FACT_CLIENT_NET) && !is_counted(e);
    case UNIT_LOGINS:
        return facts_know(facts, FACT_AUTH_NAME);
    case UNIT_NEW_RECIPIENTS:
        return facts_know(facts, FACT_RCPT_TO);
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

/* What no answer of an upstream can give back. */
static bool is_charged(const struct limit *limit, const struct rate *rate,
                       enum stage stage)
{
    return limit->counts_attempts || limit->unit == UNIT_FAILURES ||
           limit->unit == UNIT_REJECTS || limit->unit == UNIT_LOGINS ||
           (limit->unit == UNIT_NETWORKS && stage == STAGE_AUTH) ||
           (limit->unit == UNIT_CONNECTIONS && rate->period_ms != 0);
}

/* Of a distinct unit, what counts once; of others p is NULL. */
static int find_member(const struct evaluation *e, struct str *out)
{
    static const struct {
        enum limit_unit unit;
        enum fact fact;
    } MEMBERS[] = {
        {UNIT_NEW_RECIPIENTS, FACT_RCPT_TO},
        {UNIT_NETWORKS, FACT_CLIENT_NET},
        {UNIT_LOGINS, FACT_AUTH_NAME},
    };
    *out = (struct str){0};
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        if (e->rule->limit->unit != MEMBERS[i].unit)
            continue;
        *out = address_canonical(e->effects->arena,
                                 facts_text(e->facts, MEMBERS[i].fact));
        return out->p == NULL ? -1 : 0;
    }
    return 0;
}

/* An upstream's quota: what exceeds it may be held back until it fits, where
 * the rule would refuse it. What is charged at once is not asked twice. */
static bool is_paced(const struct rule *rule, bool is_charge)
{
    return rule->limit->is_by_upstream && !is_charge &&
           rule->mode == RULE_LIVE && rule->decision > DECISION_ACCEPT;
}

static enum step ask_limit(struct evaluation *e, const struct limit_now *now)
{
    struct str key, member;
    enum template_result rc = find_key(e, &key);
    if (rc == TEMPLATE_ABSENT)
        return evaluate_pass_over(e, FATE_ABSENT);
    if (rc != TEMPLATE_OK || find_member(e, &member) != 0)
        return evaluate_full(e);
    bool is_charge = is_charged(e->rule->limit, &now->rate, e->stage);
    e->pending = (struct question){
        .kind = QUESTION_HOLD,
        .rule = e->rule,
        .limit = e->rule->limit,
        .key = key,
        .cost = cost_of(e),
        .max = now->burst,
        .rate = now->rate,
        .is_paced = is_paced(e->rule, is_charge),
        .is_charge = is_charge,
        .member = member,
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
        return step == STEP_VERDICT ? evaluate_pass_over(e, FATE_UNLISTED)
                                    : step;
    if (now.rate.period_ms == 0 && limit->unit != UNIT_CONNECTIONS)
        return compare(e, &now, verdict);
    return is_countable(e) ? ask_limit(e, &now)
                           : evaluate_pass_over(e, FATE_NOT_COUNTED);
}

static enum hold_scope scope_of(const struct question *question)
{
    if (question->is_charge)
        return HOLD_CHARGED;
    switch (question->limit->unit) {
    case UNIT_CONNECTIONS:
        return HOLD_SESSION;
    case UNIT_RECIPIENTS:
    case UNIT_NEW_RECIPIENTS:
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
        .member = question->member,
        .cost = question->cost,
        .charge = question->cost,
        .max = question->max,
        .rate = question->rate,
        .scope = scope_of(question),
        .recipient = recipients > 0 ? (size_t)recipients - 1 : 0,
        .is_settled = question->is_charge,
        .token = e->answer.token,
        .captures = e->captures,
    };
    return effects_add_hold(e->effects, &hold) != 0
               ? evaluate_full(e)
               : evaluate_pass_over(e, FATE_WITHIN);
}

struct str evaluate_value_text(const struct evaluation *e,
                               const struct limit *limit)
{
    struct limit_now now;
    if (e->captures != NULL)
        evaluate_view(e)->captures = *e->captures;
    return limit_resolve(limit, evaluate_view(e), &now) == 0 ? now.text
                                                             : limit->text;
}

enum step evaluate_act_on_answer(struct evaluation *e, enum phase then,
                                 struct verdict *verdict)
{
    struct limit_figures figures = limit_figures_of(
        evaluate_value_text(e, e->pending.limit), e->pending.max,
        e->answer.before, e->answer.retry_after_ms);
    return evaluate_act(e, &figures, then, verdict);
}

enum step evaluate_step_limit_answer(struct evaluation *e,
                                     struct verdict *verdict)
{
    if (evaluate_keep_use(e) != 0)
        return evaluate_full(e);
    if (e->answer.is_within)
        return keep_hold(e);
    return evaluate_act_on_answer(e, PHASE_RULE, verdict);
}
