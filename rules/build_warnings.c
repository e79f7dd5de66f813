#include "rules/build_internal.h"
#include "rules/glob.h"

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
    return rule->mode == RULE_LIVE && rule->when == NULL &&
           rule->limit == NULL && rule->required.count == 0 &&
           rule->decision != DECISION_NONE;
}

static void warn_of_dead_rules(const struct warner *warner,
                               const struct stage_rules *stage)
{
    const struct rule *decider = NULL;
    for (size_t i = 0; i < stage->count; i++) {
        const struct rule *rule = stage->items[i];
        if (decider != NULL)
            warn(warner, rule->origin,
                 "rule \"%.*s\" can never act: \"%.*s\" before it always "
                 "decides",
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
         "rule \"%.*s\": not_in holds when any value of %s%s%.*s is outside; "
         "none_in is what asks that no value is in",
         PROBLEM_STR(rule->name), fact_name(test->fact.fact),
         test->fact.fact == FACT_HEADER ? "." : "",
         PROBLEM_STR(test->fact.header));
}

static void warn_of_route(const struct warner *warner, const struct rule *rule)
{
    if (rule_routes_by_recipient(rule))
        warn(warner, rule->origin,
             "rule \"%.*s\" routes by recipient: a message whose recipients "
             "route apart is taken in several transactions, unless split: "
             "first",
             PROBLEM_STR(rule->name));
}

/* A limit of one, or a share close to all of it: nothing is told in time. */
static void warn_of_late_warning(const struct warner *warner,
                                 const struct rule *rule)
{
    const struct limit *limit = rule->limit;
    if (limit == NULL || limit->warn_percent == 0 ||
        limit->warn_percent == 100 || limit->value != NULL)
        return;
    uint64_t max = limit->burst != 0 ? limit->burst : limit->rate.amount;
    if (max / 100 * limit->warn_percent +
            max % 100 * limit->warn_percent / 100 <
        max - 1)
        return;
    warn(warner, rule->origin,
         "rule \"%.*s\": warn comes with the last use of %llu, no sooner",
         PROBLEM_STR(rule->name), (unsigned long long)max);
}

/* The values that must hold for this fact, if the condition has one such test
 * that nothing relaxes. */
static const struct test *strict_test(const struct condition *condition,
                                      enum fact fact)
{
    if (condition == NULL)
        return NULL;
    if (condition->kind == CONDITION_TEST)
        return condition->test.fact.fact == fact &&
                       condition->test.quantifier == QUANTIFIER_ANY_IN
                   ? &condition->test
                   : NULL;
    for (size_t i = 0;
         condition->kind == CONDITION_ALL && i < condition->part_count; i++) {
        const struct test *found = strict_test(condition->parts[i], fact);
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* {auth.result: failed} and a fact of a proven login: never both. */
static void warn_of_failed_login(const struct warner *warner,
                                 const struct rule *rule)
{
    const struct test *result = strict_test(rule->when, FACT_AUTH_RESULT);
    bool is_failed = result != NULL && result->value_count > 0 &&
                     result->value_count == result->written_count;
    for (size_t i = 0; is_failed && i < result->written_count; i++)
        is_failed = str_equals_nocase(result->written[i], STR("failed")) ||
                    str_equals_nocase(result->written[i], STR("unavailable"));
    for (size_t i = 0; is_failed && i < rule->required.count; i++) {
        enum fact fact = rule->required.items[i].fact;
        if (fact != FACT_AUTH_USER && fact != FACT_AUTH_ADDRESSES &&
            fact != FACT_AUTH_GROUPS)
            continue;
        warn(warner, rule->origin,
             "rule \"%.*s\" can never act: a login that failed has no %s; "
             "auth.name is what was claimed",
             PROBLEM_STR(rule->name), fact_name(fact));
        return;
    }
}

/* One list may serve facts with wildcards and plain texts, so that this is no
 * error as it is in a rule. */
static void warn_of_wildcard(const struct warner *warner,
                             const struct list *list)
{
    struct list_cursor cursor = {.list = list};
    struct list_entry entry;
    if (list->matchers[FACT_TYPE_TEXT] == NULL)
        return;
    while (list_next(&cursor, &entry)) {
        if (!glob_has_star(entry.text) || regex_is_literal(entry.text))
            continue;
        warn(warner, list->origin,
             "list %.*s: %.*s is compared with plain text, where * is no "
             "wildcard: write a pattern, /…/",
             PROBLEM_STR(list->name), PROBLEM_STR(entry.text));
        return;
    }
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
        warn_of_wildcard(&warner, list);
    }
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        const struct stage_rules *stage = &ruleset->stages[s];
        warn_of_dead_rules(&warner, stage);
        for (size_t i = 0; i < stage->count; i++) {
            warn_of_not_in(&warner, stage->items[i], stage->items[i]->when);
            warn_of_route(&warner, stage->items[i]);
            warn_of_late_warning(&warner, stage->items[i]);
            warn_of_failed_login(&warner, stage->items[i]);
        }
    }
}
