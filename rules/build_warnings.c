#include "rules/build_internal.h"

#include <stdarg.h>
#include <stdio.h>

struct warner {
    build_on_warning *on_warning;
    void *owner;
};

__attribute__((format(printf, 3, 4))) static void
warn(const struct warner *warner, const void *origin, const char *format, ...)
{
    struct problem problem;
    va_list args;
    va_start(args, format);
    vsnprintf(problem.text, sizeof problem.text, format, args);
    va_end(args);
    warner->on_warning(warner->owner, origin, problem.text);
}

static bool always_decides(const struct rule *rule)
{
    return rule->when == NULL && rule->limit == NULL &&
           rule->required.count == 0 && rule->decision != DECISION_NONE;
}

static void warn_of_dead_rules(const struct warner *warner,
                               const struct stage_rules *stage)
{
    const struct rule *decider = NULL;
    for (size_t i = 0; i < stage->count; i++) {
        const struct rule *rule = stage->items[i];
        if (decider != NULL)
            warn(warner, rule->origin,
                 "rule %.*s can never act: %.*s before it always decides",
                 PROBLEM_STR(rule->name), PROBLEM_STR(decider->name));
        else if (always_decides(rule))
            decider = rule;
    }
}

static void warn_of_not_in(const struct warner *warner, const struct rule *rule,
                           const struct condition *condition)
{
    if (condition == NULL)
        return;
    for (size_t i = 0; i < condition->part_count; i++)
        warn_of_not_in(warner, rule, condition->parts[i]);
    const struct test *test = &condition->test;
    if (condition->kind != CONDITION_TEST ||
        test->quantifier != QUANTIFIER_ANY_OUT || !fact_is_list(&test->fact))
        return;
    /* Of From and its kin "any address outside" is what is meant. */
    if (test->fact.fact == FACT_HEADER &&
        fact_is_address_header(test->fact.header))
        return;
    warn(warner, rule->origin,
         "rule %.*s: not_in holds when any value of %s%s%.*s is outside; "
         "none_in is what asks that no value is in",
         PROBLEM_STR(rule->name), fact_name(test->fact.fact),
         test->fact.fact == FACT_HEADER ? "." : "",
         PROBLEM_STR(test->fact.header));
}

static void warn_of_route(const struct warner *warner, const struct rule *rule)
{
    bool is_by_recipient = false;
    for (size_t i = 0; i < rule->required.count; i++)
        is_by_recipient = is_by_recipient ||
                          fact_stage(&rule->required.items[i]) == STAGE_RCPT;
    if (rule->route.n > 0 && is_by_recipient)
        warn(warner, rule->origin,
             "rule %.*s routes by recipient: a message whose recipients route "
             "apart is taken in several transactions",
             PROBLEM_STR(rule->name));
}

void build_warnings(const struct ruleset_builder *builder,
                    build_on_warning *on_warning, void *owner)
{
    const struct ruleset *ruleset = builder->ruleset;
    struct warner warner = {on_warning, owner};
    for (size_t i = 0; i < ruleset->list_count; i++) {
        const struct list *list = ruleset->lists[i];
        if (!list->is_used)
            warn(&warner, list->origin, "no rule uses the list %.*s",
                 PROBLEM_STR(list->name));
    }
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        const struct stage_rules *stage = &ruleset->stages[s];
        warn_of_dead_rules(&warner, stage);
        for (size_t i = 0; i < stage->count; i++) {
            warn_of_not_in(&warner, stage->items[i], stage->items[i]->when);
            warn_of_route(&warner, stage->items[i]);
        }
    }
}
