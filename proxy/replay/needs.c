#include "proxy/replay/needs.h"

#include <stdlib.h>

#include "rules/fact_values.h"
#include "rules/ruleset.h"

/* Those that every line has, wherever their stage was reached, need no look.
 */
static bool may_be_missing(enum fact fact)
{
    switch (fact) {
    case FACT_HEADER:
    case FACT_HEADERS_HOPS:
    case FACT_MESSAGE_LONGEST_LINE:
    case FACT_HELO_VERB:
    case FACT_AUTH_ADDRESSES:
    case FACT_AUTH_GROUPS:
    case FACT_TLS_CLIENT_NAMES:
    case FACT_REPLY_TEXT:
        return true;
    default:
        return false;
    }
}

static int add(struct needs *needs, const struct rule *rule,
               const struct fact_ref *ref)
{
    needs->has_time = needs->has_time || ref->fact == FACT_TIME_HOUR ||
                      ref->fact == FACT_TIME_WEEKDAY ||
                      ref->fact == FACT_TIME_DATE;
    if (!may_be_missing(ref->fact))
        return 0;
    for (size_t i = 0; i < needs->count; i++)
        if (needs->items[i].rule == rule &&
            fact_ref_equals(&needs->items[i].ref, ref))
            return 0;
    if (needs->count == needs->capacity) {
        size_t capacity = needs->capacity * 2 + 16;
        struct need *grown = realloc(needs->items, capacity * sizeof *grown);
        if (grown == NULL)
            return -1;
        needs->items = grown;
        needs->capacity = capacity;
    }
    needs->items[needs->count++] = (struct need){rule, *ref};
    return 0;
}

static int add_tests(struct needs *needs, const struct rule *rule,
                     const struct condition *condition)
{
    if (condition == NULL)
        return 0;
    if (condition->kind == CONDITION_TEST)
        return add(needs, rule, &condition->test.fact);
    size_t count = condition->kind == CONDITION_NOT ? 1 : condition->part_count;
    for (size_t i = 0; i < count; i++)
        if (add_tests(needs, rule, condition->parts[i]) != 0)
            return -1;
    return 0;
}

static int add_template(struct needs *needs, const struct rule *rule,
                        const struct template *template)
{
    for (size_t i = 0; i < template->count; i++)
        if (template->segments[i].kind == SEGMENT_FACT &&
            add(needs, rule, &template->segments[i].ref) != 0)
            return -1;
    return 0;
}

static int add_limit(struct needs *needs, const struct rule *rule)
{
    static const enum fact MEASURES[UNIT_COUNT] = {
        [UNIT_HOPS] = FACT_HEADERS_HOPS,
        [UNIT_LINE] = FACT_MESSAGE_LONGEST_LINE,
    };
    const struct limit *limit = rule->limit;
    struct fact_ref measured = {.fact = FACT_CLIENT_IP};
    if (limit == NULL)
        return 0;
    if (limit->unit == UNIT_HOPS || limit->unit == UNIT_LINE)
        measured.fact = MEASURES[limit->unit];
    for (size_t i = 0; i < limit->by_count; i++)
        if (add_template(needs, rule, &limit->by[i]) != 0)
            return -1;
    return add(needs, rule, &measured);
}

static int add_rule(struct needs *needs, const struct rule *rule)
{
    if (rule->mode == RULE_OFF)
        return 0;
    for (size_t i = 0; i < rule->required.count; i++)
        if (add(needs, rule, &rule->required.items[i]) != 0)
            return -1;
    return add_tests(needs, rule, rule->when) != 0 ? -1
                                                   : add_limit(needs, rule);
}

int needs_init(struct needs *needs, const struct ruleset *rules)
{
    *needs = (struct needs){0};
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
        needs->start[stage] = needs->count;
        for (size_t i = 0; i < ruleset_count(rules, stage); i++) {
            if (add_rule(needs, ruleset_rule(rules, stage, i)) == 0)
                continue;
            needs_release(needs);
            return -1;
        }
    }
    needs->start[STAGE_COUNT] = needs->count;
    return 0;
}

void needs_release(struct needs *needs)
{
    free(needs->items);
    *needs = (struct needs){0};
}
