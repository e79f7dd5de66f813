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
