/* The rules that do most and the users who send most, the busiest first. */
#include "proxy/control/verb_overview_internal.h"

#include <stdlib.h>

#define RULES_TOLD 50
#define USERS_TOLD 20
/* Whose budgets are told too: each costs a look at every rule. */
#define BUDGETS_TOLD 10

/* --- rules --- */

struct busy_rule {
    const struct series *series;
    uint64_t hour, total;
};

static int by_business(const void *a, const void *b)
{
    const struct busy_rule *one = a, *other = b;
    if (one->hour != other->hour)
        return one->hour < other->hour ? 1 : -1;
    if (one->total != other->total)
        return one->total < other->total ? 1 : -1;
    return one->series < other->series ? -1 : 1;
}

static size_t find_rules(const struct overview *o, struct busy_rule *rules,
                         size_t max)
{
    const struct series_table *table = metrics_series(o->c->metrics);
    const struct series *one;
    size_t at = 0, count = 0;
    while (count < max && (one = series_next(table, SERIES_RULES, &at)) != NULL)
        /* What followed from a limit that was exceeded is told by itself. */
        if (!str_equals(series_label(one, 1), STR("exceed")))
            rules[count++] = (struct busy_rule){
                one, minutes_sum(&one->minutes, o->minute), series_count(one)};
    qsort(rules, count, sizeof *rules, by_business);
    return count;
}

static json_t *rule_of(const struct overview *o, const struct busy_rule *rule)
{
    uint64_t minutes[MINUTES] = {0};
    minutes_read(&rule->series->minutes, o->minute, minutes);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "stage",
                     control_text(series_label(rule->series, 0)), "did",
                     control_text(series_label(rule->series, 1)), "rule",
                     control_text(series_label(rule->series, 2)), "hour",
                     overview_integer(rule->hour), "total",
                     overview_integer(rule->total), "minutes",
                     overview_minute_list(minutes));
}

json_t *overview_rules(const struct overview *o)
{
    size_t max = series_shapes[SERIES_RULES].rows;
    struct busy_rule *rules = calloc(max, sizeof *rules);
    json_t *list = json_array();
    size_t count = rules == NULL ? 0 : find_rules(o, rules, max);
    for (size_t i = 0; i < count && i < RULES_TOLD; i++)
        json_array_append_new(list, rule_of(o, &rules[i]));
    free(rules);
    return list;
}

/* --- users --- */

/* As `postern limits USER` tells them. NULL: the store can't be asked. */
static json_t *budgets_of(const struct overview *o, json_t *user)
{
    json_t *request = json_pack("{s:O}", "key", user);
    json_t *reply = verb_limits((void *)(uintptr_t)o->c, request);
    json_t *budgets = json_incref(json_object_get(reply, "limits"));
    json_decref(reply);
    json_decref(request);
    return budgets;
}

/* *has_budgets: whether they are to be told; a store that does not answer is
 * not asked again, for each time costs seconds. */
static json_t *user_of(const struct overview *o, const struct top_user *user,
                       bool *has_budgets)
{
    json_t *name = control_text(str_span(user->name, user->name_length));
    json_t *budgets = *has_budgets ? budgets_of(o, name) : NULL;
    *has_budgets = budgets != NULL;
    if (budgets == NULL)
        budgets = json_array();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "user", name, "messages",
                     overview_integer(user->messages), "recipients",
                     overview_integer(user->recipients), "refused",
                     overview_integer(user->refused), "budgets", budgets);
}

json_t *overview_users(const struct overview *o)
{
    struct top_sum users;
    json_t *list = json_array();
    bool has_budgets = o->c->settings->limits.store == STORE_MEMORY ||
                       metrics_has_store(o->c->metrics, o->c->workers);
    top_sum_init(&users);
    (void)metrics_top_users(o->c->metrics, o->minute, &users);
    for (size_t i = 0; i < users.count && i < USERS_TOLD; i++) {
        has_budgets = has_budgets && i < BUDGETS_TOLD;
        json_array_append_new(list, user_of(o, &users.users[i], &has_budgets));
    }
    top_sum_release(&users);
    return list;
}
