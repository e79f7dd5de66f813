/* Which rule is next, and whether its `when` holds: the facts that it names,
 * its condition, and the dynamic lists that decide it. */
#include "rules/evaluate_internal.h"
#include "rules/ruleset_internal.h"

/* The first fact that the rule names and that is absent, or NULL. */
static const struct fact_ref *absent_fact(const struct rule *rule,
                                          const struct facts *facts)
{
    for (size_t i = 0; i < rule->required.count; i++)
        if (!fact_is_known(facts, &rule->required.items[i]))
            return &rule->required.items[i];
    return NULL;
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

static enum truth try_condition(struct evaluation *e, const bool *listed)
{
    struct view *view = evaluate_view(e);
    view->captures.count = 0;
    return condition_holds(e->rule->when, view, &e->rule->dynamic, listed);
}

/* A trace hears of the tests once: not while dynamic lists are still to be
 * asked. A condition is pure, so it may be tried again for the listener. */
static enum truth condition_truth(struct evaluation *e, const bool *listed)
{
    struct view *view = evaluate_view(e);
    if (e->rule->when == NULL)
        return TRUTH_YES;
    enum truth truth = try_condition(e, listed);
    if (e->trace == NULL || truth == TRUTH_UNKNOWN)
        return truth;
    view->trace = e->trace;
    truth = try_condition(e, listed);
    view->trace = NULL;
    return truth;
}

static enum step test_condition(struct evaluation *e, const bool *listed)
{
    evaluate_view(e)->captures.count = 0;
    switch (condition_truth(e, listed)) {
    case TRUTH_YES:
        return condition_held(e);
    case TRUTH_UNKNOWN:
        return begin_listed(e);
    case TRUTH_FAULT:
        return STEP_FAULT;
    default:
        return evaluate_pass_over(e, FATE_NOT_HELD);
    }
}

enum step evaluate_step_rule(struct evaluation *e, struct verdict *verdict)
{
    const struct stage_rules *rules = &e->ruleset->stages[e->stage];
    (void)verdict;
    /* Whoever listens hears of every rule. */
    if (e->trace == NULL && rules->index != NULL)
        e->next_rule = rule_index_next(rules->index, &e->cursor,
                                       &evaluate_view(e)->reader, e->next_rule);
    if (e->next_rule == rules->count) {
        e->phase = PHASE_END;
        return STEP_ON;
    }
    e->rule = rules->items[e->next_rule++];
    if (e->rule->mode == RULE_OFF)
        return evaluate_pass_over(e, FATE_OFF);
    const struct fact_ref *absent = absent_fact(e->rule, e->facts);
    if (absent != NULL) {
        evaluate_tell(e, FATE_ABSENT, absent, NULL);
        return STEP_ON;
    }
    return test_condition(e, NULL);
}

enum step evaluate_step_listed_answer(struct evaluation *e,
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
