#include "rules/captures.h"

#include <string.h>

int captures_add(struct captures *captures, struct arena *arena,
                 const struct regex *regex, const struct regex_match *match)
{
    struct str *groups = arena_array(arena, match->count, sizeof *groups);
    if (groups == NULL)
        return -1;
    memcpy(groups, match->groups, match->count * sizeof *groups);
    if (captures->count == CAPTURES_SETS_MAX) {
        memmove(captures->sets, captures->sets + 1,
                (CAPTURES_SETS_MAX - 1) * sizeof captures->sets[0]);
        captures->count--;
    }
    captures->sets[captures->count++] = (struct capture_set){
        .regex = regex, .groups = groups, .count = match->count};
    return 0;
}

const struct captures *captures_keep(const struct captures *captures,
                                     struct arena *arena)
{
    struct captures *kept = arena_alloc(arena, sizeof *kept);
    if (kept == NULL)
        return NULL;
    *kept = *captures;
    for (size_t i = 0; i < captures->count; i++) {
        const struct capture_set *set = &captures->sets[i];
        struct str *groups = arena_array(arena, set->count, sizeof *groups);
        if (groups == NULL)
            return NULL;
        for (size_t g = 0; g < set->count; g++) {
            groups[g] = arena_str(arena, set->groups[g]);
            if (groups[g].p == NULL)
                return NULL;
        }
        kept->sets[i].groups = groups;
    }
    return kept;
}

bool captures_numbered(const struct captures *captures, size_t number,
                       struct str *out)
{
    for (size_t i = captures->count; i-- > 0;) {
        if (number < captures->sets[i].count) {
            *out = captures->sets[i].groups[number];
            return true;
        }
    }
    return false;
}

bool captures_named(const struct captures *captures, struct str name,
                    struct str *out)
{
    for (size_t i = captures->count; i-- > 0;) {
        int number = regex_group_named(captures->sets[i].regex, name);
        if (number > 0 && (size_t)number < captures->sets[i].count) {
            *out = captures->sets[i].groups[number];
            return true;
        }
    }
    return false;
}
