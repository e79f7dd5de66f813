#include "rules/ruleset.h"

#include "rules/ruleset_internal.h"

#include <stdlib.h>

void ruleset_free(struct ruleset *ruleset)
{
    if (ruleset == NULL)
        return;
    for (size_t i = 0; i < ruleset->regex_count; i++)
        regex_free(ruleset->regexes[i]);
    arena_release(&ruleset->arena);
    free(ruleset);
}

size_t ruleset_count(const struct ruleset *ruleset, enum stage stage)
{
    return ruleset->stages[stage].count;
}

size_t ruleset_route_count(const struct ruleset *ruleset)
{
    return ruleset->route_count;
}

struct str ruleset_route(const struct ruleset *ruleset, size_t index)
{
    return ruleset->routes[index];
}

size_t ruleset_fact_count(const struct ruleset *ruleset)
{
    return ruleset->fact_count;
}

const struct fact_ref *ruleset_fact(const struct ruleset *ruleset, size_t index)
{
    return &ruleset->facts[index];
}

size_t ruleset_ask_count(const struct ruleset *ruleset)
{
    return ruleset->ask_count;
}

struct str ruleset_ask(const struct ruleset *ruleset, size_t index)
{
    return ruleset->asks[index];
}

const struct rule *ruleset_rule(const struct ruleset *ruleset, enum stage stage,
                                size_t index)
{
    return ruleset->stages[stage].items[index];
}

const struct list *ruleset_list(const struct ruleset *ruleset, struct str name)
{
    for (size_t i = 0; i < ruleset->list_count; i++)
        if (str_equals(ruleset->lists[i]->name, name))
            return ruleset->lists[i];
    return NULL;
}

size_t ruleset_list_count(const struct ruleset *ruleset)
{
    return ruleset->list_count;
}

const struct list *ruleset_list_at(const struct ruleset *ruleset, size_t index)
{
    return ruleset->lists[index];
}

bool ruleset_routes_by_recipient(const struct ruleset *ruleset)
{
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        for (size_t i = 0; i < ruleset_count(ruleset, stage); i++)
            if (rule_routes_by_recipient(ruleset_rule(ruleset, stage, i)))
                return true;
    return false;
}
