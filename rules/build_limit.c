#include "rules/build_internal.h"
#include "rules/nearest.h"
#include "rules/rule_table.h"

#define BY_MAX 8

static struct limit *the_limit(struct ruleset_builder *builder)
{
    struct rule *rule = builder->rule;
    if (rule->limit == NULL) {
        rule->limit = arena_alloc(build_arena(builder), sizeof *rule->limit);
        if (rule->limit == NULL)
            build_out_of_memory(builder);
    }
    return rule->limit;
}

static int value_error(struct ruleset_builder *builder, enum limit_unit unit,
                       struct str text)
{
    const struct unit_row *row = unit_row(unit);
    switch (row->periods) {
    case LIMIT_WITHOUT_PERIOD:
        return build_fail(builder,
                          "%s bounds one message: write a number or size "
                          "without a period, such as 10M, not %.*s",
                          row->name, PROBLEM_STR(text));
    case LIMIT_WITH_PERIOD:
        return build_fail(builder,
                          "%s is a rate: write 500/h, 5/10m or 1G/d, not "
                          "%.*s",
                          row->name, PROBLEM_STR(text));
    default:
        return build_fail(builder,
                          "%.*s is neither a number nor a rate, such as 500 "
                          "or 500/h",
                          PROBLEM_STR(text));
    }
}

static int check_value(struct ruleset_builder *builder, enum limit_unit unit,
                       struct str text, struct rate *out)
{
    if (quantity_rate(text, out) != 0 || !limit_fits(unit, out))
        return value_error(builder, unit, text);
    if ((unit == UNIT_NETWORKS || unit == UNIT_LOGINS) &&
        out->amount > LIMIT_DISTINCT_MAX)
        return build_fail(builder,
                          "%s is at most %d: each of them is remembered, and "
                          "no more of a key",
                          unit_row(unit)->name, LIMIT_DISTINCT_MAX);
    return 0;
}

/* A burst or a key has a meaning for rates alone, so one that serves some keys
 * and not others is a mistake. */
static int mixed_values(struct ruleset_builder *builder, struct str text,
                        bool is_rate)
{
    return build_fail(builder,
                      "%.*s has %s period, and what stands before it has "
                      "%s: write all of them as rates, such as 500/h, or none",
                      PROBLEM_STR(text), is_rate ? "a" : "no",
                      is_rate ? "none" : "one");
}

/* Every value of the list must fit the unit; looked at once, however many
 * rules take their limits from there. */
static int check_mapped(struct ruleset_builder *builder, enum limit_unit unit,
                        struct list *list)
{
    struct list_cursor cursor = {.list = list};
    struct list_entry entry;
    size_t rates = 0, count = 0;
    while (list_next(&cursor, &entry)) {
        struct rate rate;
        if (entry.value.n == 0)
            continue;
        if (check_value(builder, unit, entry.value, &rate) != 0)
            return build_fail_in_list(builder, list, &entry);
        bool is_rate = rate.period_ms != 0;
        if (count++ > 0 && is_rate != (rates > 0)) {
            mixed_values(builder, entry.value, is_rate);
            return build_fail_in_list(builder, list, &entry);
        }
        rates += is_rate;
    }
    list->checked_units |= 1u << unit;
    list->rate_units |= rates > 0 ? 1u << unit : 0;
    return 0;
}

/* `{auth.user|map:quota}` */
static int build_mapped(struct ruleset_builder *builder, struct limit *limit,
                        struct str text)
{
    limit->value = arena_alloc(build_arena(builder), sizeof *limit->value);
    if (limit->value == NULL)
        return build_out_of_memory(builder);
    if (build_template(builder, text, TEMPLATE_MAY_CAPTURE, limit->value) != 0)
        return -1;
    const struct segment *segment = limit->value->segments;
    const struct filter *last =
        segment->filter_count == 0
            ? NULL
            : &segment->filters[segment->filter_count - 1];
    if (limit->value->count != 1 || last == NULL || last->kind != FILTER_MAP)
        return build_fail(builder, "a value that is not fixed must come from "
                                   "a list, as in {auth.user|map:quota}");
    struct list *list = build_find_list(builder, last->list->name);
    if (list == NULL)
        return -1;
    if ((list->checked_units & 1u << limit->unit) == 0 &&
        check_mapped(builder, limit->unit, list) != 0)
        return -1;
    limit->maps_to_rates = (list->rate_units & 1u << limit->unit) != 0;
    return 0;
}

static int build_unit(struct ruleset_builder *builder, enum limit_unit unit,
                      struct str text)
{
    const struct unit_row *row = unit_row(unit);
    enum stage stage = builder->rule->stage;
    struct limit *limit = the_limit(builder);
    if (limit == NULL)
        return -1;
    if (builder->rule_has_value)
        return build_fail(builder,
                          "a rule limits one unit, and this one "
                          "limits %s already",
                          unit_row(limit->unit)->name);
    if ((row->stages & 1u << stage) == 0)
        return build_fail(builder, "%s is counted at %s, not at %s", row->name,
                          row->where, stage_name(stage));
    limit->unit = unit;
    limit->text = arena_str(build_arena(builder), text);
    builder->rule_has_value = true;
    if (limit->text.p == NULL)
        return build_out_of_memory(builder);
    if (str_index(text, '{') >= 0)
        return build_mapped(builder, limit, text);
    return check_value(builder, unit, text, &limit->rate);
}

static int build_by(struct ruleset_builder *builder, const struct str *values,
                    size_t count)
{
    struct limit *limit = the_limit(builder);
    if (limit == NULL)
        return -1;
    if (count == 0 || count > BY_MAX)
        return build_fail(builder, "by takes one to %d templates", BY_MAX);
    limit->by = arena_array(build_arena(builder), count, sizeof *limit->by);
    if (limit->by == NULL)
        return build_out_of_memory(builder);
    for (size_t i = 0; i < count; i++) {
        builder->item = i;
        if (build_template(builder, values[i],
                           TEMPLATE_MAY_CAPTURE | TEMPLATE_OPTIONAL,
                           &limit->by[i]) != 0)
            return -1;
        bool names_something = false;
        for (size_t s = 0; s < limit->by[i].count; s++) {
            const struct segment *segment = &limit->by[i].segments[s];
            if (segment->kind != SEGMENT_LITERAL)
                names_something = true;
            if (segment->kind == SEGMENT_FACT &&
                segment->ref.fact == FACT_UPSTREAM_NAME)
                limit->is_by_upstream = true;
        }
        if (!names_something)
            return build_fail(builder,
                              "by names no fact, so all would share one "
                              "budget: write {%.*s}, or leave by out",
                              PROBLEM_STR(values[i]));
    }
    limit->by_count = count;
    return 0;
}

static int build_burst(struct ruleset_builder *builder, struct str text)
{
    struct limit *limit = the_limit(builder);
    if (limit == NULL)
        return -1;
    if (quantity_size(text, &limit->burst) != 0 || limit->burst == 0)
        return build_fail(builder, "burst is a number of at least 1, not %.*s",
                          PROBLEM_STR(text));
    return 0;
}

static int build_count(struct ruleset_builder *builder, struct str text)
{
    struct limit *limit = the_limit(builder);
    if (limit == NULL)
        return -1;
    if (!str_equals(text, STR("attempts")) &&
        !str_equals(text, STR("accepted")))
        return build_fail(builder, "count is attempts or accepted, not %.*s",
                          PROBLEM_STR(text));
    limit->counts_attempts = str_equals(text, STR("attempts"));
    return 0;
}

/* "80%" */
static int build_warn(struct ruleset_builder *builder, struct str text)
{
    struct limit *limit = the_limit(builder);
    struct str digits = text.n > 0 ? str_head(text, text.n - 1) : text;
    uint64_t percent = 0;
    if (limit == NULL)
        return -1;
    if (text.n < 2 || text.p[text.n - 1] != '%' ||
        str_to_u64(digits, &percent) != 0 || percent < 1 || percent > 100)
        return build_fail(builder,
                          "warn is a part of the limit, such as 80%%, not "
                          "%.*s",
                          PROBLEM_STR(text));
    limit->warn_percent = (unsigned)percent;
    return 0;
}

/* By limit_keys; `by` takes several values. */
static int (*const BUILD[])(struct ruleset_builder *builder,
                            struct str text) = {
    [LIMIT_KEY_BY] = NULL,
    [LIMIT_KEY_BURST] = build_burst,
    [LIMIT_KEY_COUNT] = build_count,
    [LIMIT_KEY_WARN] = build_warn,
};

static int unknown_key(struct ruleset_builder *builder, struct str key)
{
    const char *names[UNIT_COUNT + LIMIT_KEYS];
    size_t count = 0;
    for (size_t i = 0; i < LIMIT_KEYS; i++)
        names[count++] = limit_keys[i].name;
    for (enum limit_unit u = 0; u < UNIT_COUNT; u++)
        names[count++] = unit_row(u)->name;
    const char *nearest = nearest_word(key, names, count);
    return build_fail(
        builder, "a limit has no unit or key %.*s%s%s%s", PROBLEM_STR(key),
        nearest == NULL ? "" : ", did you mean ",
        nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

int build_limit(struct ruleset_builder *builder, struct str key,
                const struct str *values, size_t count)
{
    enum limit_unit unit;
    size_t own = 0;
    builder->item = 0;
    while (own < LIMIT_KEYS && !str_equals(key, str_from(limit_keys[own].name)))
        own++;
    if (own == LIMIT_KEY_BY)
        return build_by(builder, values, count);
    if (own == LIMIT_KEYS && unit_from_name(key, &unit) != 0)
        return unknown_key(builder, key);
    if (count != 1)
        return build_fail(builder, "%.*s takes one value", PROBLEM_STR(key));
    return own < LIMIT_KEYS ? BUILD[own](builder, values[0])
                            : build_unit(builder, unit, values[0]);
}
