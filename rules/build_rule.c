/* A rule's frame: its name, its mode, and what must go together in it. */
#include "rules/build_internal.h"
#include "rules/nearest.h"
#include "rules/rule_table.h"

#include <assert.h>

int build_rule_start(struct ruleset_builder *builder, enum stage stage,
                     struct str name, const void *origin)
{
    struct arena *arena = build_arena(builder);
    bool is_known = string_map_get(&builder->rule_names, name) != NULL;
    struct rule *rule = arena_alloc(arena, sizeof *rule);
    struct str copy = arena_str(arena, name);
    builder->item = 0;
    builder->spare = (struct rule){.stage = stage};
    builder->rule = &builder->spare;
    if (rule == NULL || copy.p == NULL ||
        string_map_put(&builder->rule_names, arena, copy) == NULL)
        return build_out_of_memory(builder);
    *rule = (struct rule){.name = copy, .stage = stage, .origin = origin};
    builder->rule = rule;
    builder->rule_failed = false;
    builder->rule_has_value = false;
    builder->captures = NULL;
    builder->capture_count = builder->capture_capacity = 0;
    if (name.n == 0)
        return build_fail(builder, "a rule needs a name");
    if (is_known)
        return build_fail(builder,
                          "a rule named \"%.*s\" is already there; names are "
                          "unique, since budgets are kept by them",
                          PROBLEM_STR(name));
    return 0;
}

#define KEYS_MAX 40

int build_rule_key(struct ruleset_builder *builder, struct str key)
{
    const char *names[KEYS_MAX];
    if (rule_key_find(key) != NULL)
        return 0;
    assert(rule_key_count <= KEYS_MAX);
    for (size_t i = 0; i < rule_key_count; i++)
        names[i] = rule_keys[i].name;
    const char *nearest = nearest_word(key, names, rule_key_count);
    if (nearest == NULL)
        return build_fail(builder, "a rule has no key %.*s", PROBLEM_STR(key));
    return build_fail(builder, "a rule has no key %.*s, did you mean %s?",
                      PROBLEM_STR(key), nearest);
}

int build_mode(struct ruleset_builder *builder, struct str text)
{
    const char *const *words = rule_key_find(STR("mode"))->words;
    builder->item = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (str_equals(text, str_from(words[i]))) {
            builder->rule->mode = (enum rule_mode)i;
            return 0;
        }
    }
    return build_fail(builder, "mode is live, shadow or off, not %.*s",
                      PROBLEM_STR(text));
}

bool build_rule_requires(const struct ruleset_builder *builder, enum fact fact)
{
    const struct rule *rule = builder->rule;
    for (size_t i = 0; rule != NULL && i < rule->required.count; i++)
        if (rule->required.items[i].fact == fact)
            return true;
    return false;
}

static int needs_period(struct ruleset_builder *builder, const char *key)
{
    const struct limit *limit = builder->rule->limit;
    const struct unit_row *row = unit_row(limit->unit);
    if (row->periods == LIMIT_WITHOUT_PERIOD)
        return build_fail(builder,
                          "%s needs a period, and %s has none: it bounds one "
                          "message",
                          key, row->name);
    if (limit->value != NULL)
        return build_fail(builder,
                          "%s needs a period: write what the list maps to as "
                          "rates, such as 500/h",
                          key);
    return build_fail(builder, "%s needs a period: write %s: %.*s/h", key,
                      row->name, PROBLEM_STR(limit->text));
}

static int check_limit(struct ruleset_builder *builder)
{
    const struct limit *limit = builder->rule->limit;
    if (limit == NULL)
        return 0;
    if (!builder->rule_has_value)
        return build_fail(builder, "the limit has no unit, such as %s",
                          "messages: 100/h");
    bool is_rate = limit->value == NULL ? limit->rate.period_ms != 0
                                        : limit->maps_to_rates;
    bool is_set = limit->unit == UNIT_NETWORKS || limit->unit == UNIT_LOGINS;
    if (!is_rate && limit->burst != 0)
        return needs_period(builder, "burst");
    if (!is_rate && limit->counts_attempts)
        return needs_period(builder, "count");
    if (!is_rate && limit->warn_percent > 0 && limit->unit != UNIT_CONNECTIONS)
        return needs_period(builder, "warn");
    if (!is_rate && limit->by_count > 0 && limit->unit != UNIT_CONNECTIONS)
        return build_fail(builder,
                          "%s without a period bounds this message alone, so "
                          "it takes no by",
                          unit_row(limit->unit)->name);
    if (is_set && limit->burst != 0)
        return build_fail(builder,
                          "%s takes no burst: its number is how many there "
                          "may be at once, and each counts for the period",
                          unit_row(limit->unit)->name);
    return 0;
}

/* What a limit counts is known to the rule as if it were named. */
static int name_measured(struct ruleset_builder *builder)
{
    const struct limit *limit = builder->rule->limit;
    struct fact_ref fact = {.header = STR("")};
    if (limit == NULL ||
        !limit_fact(limit->unit, builder->rule->stage, &fact.fact))
        return 0;
    return build_name_fact(builder, &fact);
}

static int check_ask(struct ruleset_builder *builder)
{
    const struct rule *rule = builder->rule;
    if (rule->ask.n > 0 && rule->decision != DECISION_NONE)
        return build_fail(builder,
                          "the policy server decides what becomes of a mail "
                          "that it is asked about: put %s into a rule of its "
                          "own, behind this one",
                          rule_decision_word(rule->decision));
    return 0;
}

static bool does_something(const struct rule *rule)
{
    return rule->decision != DECISION_NONE || rule->rewrite_count > 0 ||
           rule->header_count > 0 || rule->list_count > 0 ||
           rule->tag_count > 0 || rule->note_count > 0 || rule->route.n > 0 ||
           rule->recipient_count > 0 || rule->ask.n > 0 || rule->delay_ms > 0;
}

/* The first test of the fact that has patterns and is not negated. */
static const struct matcher *guard_of(const struct condition *condition,
                                      const struct fact_ref *fact)
{
    if (condition == NULL || condition->kind == CONDITION_NOT)
        return NULL;
    if (condition->kind == CONDITION_TEST) {
        const struct test *test = &condition->test;
        bool is_guard = test->quantifier == QUANTIFIER_ANY_IN &&
                        test->matcher.regex_count > 0 &&
                        fact_ref_equals(&test->fact, fact);
        return is_guard ? &test->matcher : NULL;
    }
    for (size_t i = 0; i < condition->part_count; i++) {
        const struct matcher *guard = guard_of(condition->parts[i], fact);
        if (guard != NULL)
            return guard;
    }
    return NULL;
}

int build_rule_end(struct ruleset_builder *builder)
{
    struct rule *rule = builder->rule;
    builder->item = 0;
    builder->rule = NULL;
    if (rule == NULL || builder->rule_failed)
        return 0; /* what is wrong has been said */
    builder->rule = rule;
    int rc = check_limit(builder) != 0 || name_measured(builder) != 0 ||
                     check_ask(builder) != 0
                 ? -1
                 : 0;
    builder->rule = NULL;
    if (rc != 0)
        return -1;
    if (!does_something(rule))
        return build_fail(builder, "the rule does nothing: add reject, defer, "
                                   "rewrite, tag or another action");
    for (size_t i = 0; i < rule->rewrite_count; i++)
        rule->rewrites[i].guard = guard_of(rule->when, &rule->rewrites[i].fact);
    struct stage_rules *stage = &builder->ruleset->stages[rule->stage];
    struct rule **items = build_grow(builder, stage->items, stage->count,
                                     &stage->capacity, sizeof *items);
    if (items == NULL)
        return -1;
    stage->items = items;
    items[stage->count++] = rule;
    return 0;
}
