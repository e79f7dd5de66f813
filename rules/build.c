#include "rules/build.h"

#include "rules/build_internal.h"
#include "rules/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A list file of a million domains is some 100 MB once compiled. */
#define RULESET_BYTES_MAX ((size_t)512 * 1024 * 1024)

struct ruleset_builder *ruleset_builder_new(void)
{
    struct ruleset_builder *builder = calloc(1, sizeof *builder);
    struct ruleset *ruleset = calloc(1, sizeof *ruleset);
    if (builder == NULL || ruleset == NULL) {
        free(builder);
        free(ruleset);
        return NULL;
    }
    arena_init(&ruleset->arena, RULESET_BYTES_MAX);
    builder->ruleset = ruleset;
    return builder;
}

void ruleset_builder_free(struct ruleset_builder *builder)
{
    if (builder == NULL)
        return;
    ruleset_free(builder->ruleset);
    free(builder);
}

struct ruleset *ruleset_builder_finish(struct ruleset_builder *builder)
{
    struct ruleset *ruleset = NULL;
    if (!builder->has_failed) {
        ruleset = builder->ruleset;
        builder->ruleset = NULL;
    }
    ruleset_builder_free(builder);
    return ruleset;
}

const char *build_error(const struct ruleset_builder *builder)
{
    return builder->problem.text;
}

size_t build_error_item(const struct ruleset_builder *builder)
{
    return builder->item;
}

int build_fail(struct ruleset_builder *builder, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(builder->problem.text, sizeof builder->problem.text, format,
              args);
    va_end(args);
    builder->has_failed = true;
    builder->rule_failed = true;
    return -1;
}

int build_out_of_memory(struct ruleset_builder *builder)
{
    return build_fail(builder, "out of memory, or the policy is too large");
}

struct arena *build_arena(struct ruleset_builder *builder)
{
    return &builder->ruleset->arena;
}

void *build_grow(struct ruleset_builder *builder, void *items, size_t count,
                 size_t *capacity, size_t item_bytes)
{
    void *moved =
        arena_grow(build_arena(builder), items, count, capacity, item_bytes);
    if (moved == NULL)
        build_out_of_memory(builder);
    return moved;
}

int build_check_fact(struct ruleset_builder *builder, struct str name,
                     struct fact_ref *out)
{
    const char *nearest = NULL;
    enum stage stage = builder->rule->stage;
    if (fact_ref_parse(name, out, &nearest) != 0) {
        if (nearest == NULL)
            return build_fail(builder, "there is no fact %.*s",
                              PROBLEM_STR(name));
        return build_fail(builder, "there is no fact %.*s, did you mean %s?",
                          PROBLEM_STR(name), nearest);
    }
    if (fact_is_planned(out))
        return build_fail(builder, "%.*s is known, not built yet",
                          PROBLEM_STR(name));
    if (fact_stage(out) > stage)
        return build_fail(
            builder, "%.*s is not known yet at %s; it may be used from %s on",
            PROBLEM_STR(name), stage_name(stage), stage_name(fact_stage(out)));
    out->header = arena_lower(build_arena(builder), out->header);
    return out->header.p == NULL ? build_out_of_memory(builder) : 0;
}

int build_fact(struct ruleset_builder *builder, struct str name,
               struct fact_ref *out)
{
    builder->item = 0;
    return build_check_fact(builder, name, out);
}

int build_require(struct ruleset_builder *builder, const struct fact_ref *fact)
{
    struct required_facts *required = &builder->rule->required;
    struct fact_ref whole = *fact;
    whole.part = FACT_PART_ALL;
    for (size_t i = 0; i < required->count; i++)
        if (fact_ref_equals(&required->items[i], &whole))
            return 0;
    struct fact_ref *items =
        build_grow(builder, required->items, required->count,
                   &required->capacity, sizeof *items);
    if (items == NULL)
        return -1;
    required->items = items;
    items[required->count++] = whole;
    return 0;
}

struct regex *build_regex(struct ruleset_builder *builder, struct str literal)
{
    struct ruleset *ruleset = builder->ruleset;
    struct problem problem;
    struct regex **items =
        build_grow(builder, ruleset->regexes, ruleset->regex_count,
                   &ruleset->regex_capacity, sizeof *items);
    if (items == NULL)
        return NULL;
    ruleset->regexes = items;
    struct regex *regex = regex_new(literal, &problem);
    if (regex == NULL) {
        build_fail(builder, "%s", problem.text);
        return NULL;
    }
    items[ruleset->regex_count++] = regex;
    return regex;
}

/* --- rules --- */

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
        string_map_put(&builder->rule_names, arena, copy, copy, 0) != 0)
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
                          "a rule named %.*s is already there; names are "
                          "unique, since budgets are kept by them",
                          PROBLEM_STR(name));
    return 0;
}

int build_rule_key(struct ruleset_builder *builder, struct str key)
{
    static const char *const BUILT[] = {
        "rule",    "when",    "limit", "accept", "reject", "defer", "close",
        "rewrite", "headers", "route", "list",   "tag",    "note",
    };
    static const char *const LATER[] = {"mode", "delay", "ask",
                                        "add_recipient"};
    for (size_t i = 0; i < sizeof BUILT / sizeof BUILT[0]; i++)
        if (str_equals(key, str_from(BUILT[i])))
            return 0;
    for (size_t i = 0; i < sizeof LATER / sizeof LATER[0]; i++)
        if (str_equals(key, str_from(LATER[i])))
            return build_fail(builder,
                              "%s is known, not built yet: "
                              "remove it for now",
                              LATER[i]);
    const char *nearest =
        nearest_word(key, BUILT, sizeof BUILT / sizeof BUILT[0]);
    if (nearest == NULL)
        return build_fail(builder, "a rule has no key %.*s", PROBLEM_STR(key));
    return build_fail(builder, "a rule has no key %.*s, did you mean %s?",
                      PROBLEM_STR(key), nearest);
}

bool build_rule_requires(const struct ruleset_builder *builder, enum fact fact)
{
    const struct rule *rule = builder->rule;
    for (size_t i = 0; rule != NULL && i < rule->required.count; i++)
        if (rule->required.items[i].fact == fact)
            return true;
    return false;
}

static int check_limit(struct ruleset_builder *builder)
{
    const struct limit *limit = builder->rule->limit;
    if (limit == NULL)
        return 0;
    if (!builder->rule_has_value)
        return build_fail(builder, "the limit has no unit, such as %s",
                          "messages: 100/h");
    const char *unit = unit_row(limit->unit)->name;
    bool is_rate = limit->value != NULL || limit->rate.period_ms != 0;
    if (!is_rate && limit->burst != 0)
        return build_fail(builder, "burst needs a period: write %s: %.*s/h",
                          unit, PROBLEM_STR(limit->text));
    if (!is_rate && limit->counts_attempts)
        return build_fail(builder, "count needs a period: write %s: %.*s/h",
                          unit, PROBLEM_STR(limit->text));
    if (!is_rate && limit->by_count > 0 && limit->unit != UNIT_CONNECTIONS)
        return build_fail(builder,
                          "%s without a period bounds this message alone, so "
                          "it takes no by",
                          unit);
    return 0;
}

static bool does_something(const struct rule *rule)
{
    return rule->decision != DECISION_NONE || rule->rewrite_count > 0 ||
           rule->header_count > 0 || rule->list_count > 0 ||
           rule->tag_count > 0 || rule->note_count > 0 || rule->route.n > 0;
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
    int rc = check_limit(builder);
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
