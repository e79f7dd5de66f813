#include "rules/build.h"

#include "rules/build_internal.h"
#include "rules/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A list file of a million domains takes some 60 MB here; its octets and its
 * tables at the cap of one file fit several times. */
#define RULESET_BYTES_MAX ((size_t)2 * 1024 * 1024 * 1024)

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
        for (size_t i = 0; i < STAGE_COUNT; i++)
            ruleset->stages[i].index =
                rule_index_new(&ruleset->arena, ruleset->stages[i].items,
                               ruleset->stages[i].count);
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

int build_name_fact(struct ruleset_builder *builder,
                    const struct fact_ref *fact)
{
    struct ruleset *ruleset = builder->ruleset;
    struct fact_ref whole = *fact;
    whole.part = FACT_PART_ALL;
    for (size_t i = 0; i < ruleset->fact_count; i++)
        if (fact_ref_equals(&ruleset->facts[i], &whole))
            return 0;
    struct fact_ref *items =
        build_grow(builder, ruleset->facts, ruleset->fact_count,
                   &ruleset->fact_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    ruleset->facts = items;
    items[ruleset->fact_count++] = whole;
    return 0;
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
    if (fact_stage(out) > stage)
        return build_fail(
            builder, "%.*s is not known yet at %s; it may be used from %s on",
            PROBLEM_STR(name), stage_name(stage), stage_name(fact_stage(out)));
    out->header = arena_lower(build_arena(builder), out->header);
    if (out->header.p == NULL)
        return build_out_of_memory(builder);
    return build_name_fact(builder, out);
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
