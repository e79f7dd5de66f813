/* Budgets: what is used and left under a key, and changes to it. Keys may be
 * kept as hashes, so a key must be named to be seen. */
#include "proxy/control/budgets_at_hand.h"

#include "proxy/log/json_line.h"
#include "rules/address.h"
#include "rules/rule.h"
#include "rules/ruleset.h"

#include <time.h>

#define KEY_MAX 1024
#define EVENT_MAX 16384
/* A boost ends; a month is more than any emergency. */
#define BOOST_MS_MAX (31 * UINT64_C(86400000))

enum order { ORDER_SHOW, ORDER_RESET, ORDER_BOOST };

struct limits_order {
    const struct controlled *c;
    struct budgets_at_hand budgets;
    enum order order;
    struct str key; /* canonical */
    uint32_t percent;
    uint64_t for_ms;
    json_t *limits; /* of the answer */
    bool is_full;   /* a boost found no room */
};

/* Whether there are budgets for it: not where only this message counts. */
static bool is_budgeted(const struct limit *limit)
{
    if (limit == NULL)
        return false;
    if (limit->unit == UNIT_CONNECTIONS)
        return true;
    return limit->value != NULL ? limit->maps_to_rates
                                : limit->rate.period_ms != 0;
}

/* Calls back for each rule with budgets, in the order of evaluation. */
static void each_rule(const struct ruleset *rules,
                      void (*on_rule)(void *owner, const struct rule *rule),
                      void *owner)
{
    for (enum stage s = 0; s < STAGE_COUNT; s++)
        for (size_t i = 0; i < ruleset_count(rules, s); i++) {
            const struct rule *rule = ruleset_rule(rules, s, i);
            if (rule->mode != RULE_OFF && is_budgeted(rule->limit))
                on_rule(owner, rule);
        }
}

static json_t *rule_object(const struct rule *rule)
{
    const struct limit *limit = rule->limit;
    json_t *by = json_array();
    for (size_t i = 0; i < limit->by_count; i++)
        json_array_append_new(by, control_text(limit->by[i].source));
    json_t *object = json_pack(
        "{s:s, s:o, s:s, s:o, s:o}", "stage", stage_name(rule->stage), "rule",
        control_text(rule->name), "unit", unit_row(limit->unit)->name, "limit",
        control_text(limit->text), "by", by);
    if (rule->mode == RULE_SHADOW)
        json_object_set_new(object, "mode", json_string("shadow"));
    return object;
}

static void put_number(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

static void put_budget(json_t *object, const struct ledger_budget *budget)
{
    uint64_t taken = budget->used + budget->held;
    put_number(object, "used", budget->used);
    put_number(object, "held", budget->held);
    if (budget->max > 0) {
        put_number(object, "left",
                   taken < budget->max ? budget->max - taken : 0);
        put_number(object, "max", budget->max);
    }
    if (budget->rate.period_ms > 0) {
        put_number(object, "amount", budget->rate.amount);
        put_number(object, "period_ms", budget->rate.period_ms);
    }
    if (budget->empty_in_ms > 0)
        put_number(object, "empty_in_ms", budget->empty_in_ms);
    if (budget->boost_percent > 0) {
        put_number(object, "boost_percent", budget->boost_percent);
        put_number(object, "boost_left_ms", budget->boost_left_ms);
    }
}

/* --- changes --- */

static void log_change(const struct limits_order *order,
                       const struct rule *rule,
                       const struct ledger_budget *before)
{
    struct json_line line;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_us =
        (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    json_line_init(&line, EVENT_MAX);
    json_open_object(&line, NULL);
    json_time(&line, "time", now_us);
    json_text(&line, "event", STR("limit"));
    json_text(&line, "by", STR("control"));
    json_text(&line, "did",
              order->order == ORDER_RESET ? STR("reset") : STR("boost"));
    json_text(&line, "stage", str_from(stage_name(rule->stage)));
    json_text(&line, "rule", rule->name);
    control_put_value(order->c, &line, "key", order->key);
    json_number(&line, "used", before->used);
    if (order->order == ORDER_BOOST)
        json_number(&line, "boost_percent", order->percent);
    if (order->for_ms > 0) {
        json_number(&line, "for_ms", order->for_ms);
        json_time(&line, "until", now_us + order->for_ms * 1000);
    }
    json_close_object(&line);
    decision_log_write(order->c->decisions, json_line_end(&line));
    json_line_release(&line);
}

static bool change(struct limits_order *order,
                   const struct ledger_target *target)
{
    if (order->order == ORDER_RESET)
        budgets_reset(&order->budgets, target);
    else if (!budgets_boost(&order->budgets, target, order->percent,
                            order->for_ms))
        order->is_full = true;
    return !order->is_full && order->budgets.fault == NULL;
}

static bool is_to_change(const struct limits_order *order,
                         const struct ledger_budget *budget)
{
    switch (order->order) {
    case ORDER_RESET:
        return budget->used > 0;
    case ORDER_BOOST:
        return order->percent != 100 || budget->boost_percent > 0;
    default:
        return false;
    }
}

/* --- one key --- */

static void on_keyed_rule(void *owner, const struct rule *rule)
{
    struct limits_order *order = owner;
    const struct ledger_target target = {rule, rule->limit, order->key};
    struct ledger_budget budget;
    if (rule->limit->by_count == 0)
        return;
    bool exists = budgets_look(&order->budgets, &target, &budget);
    if (order->order == ORDER_SHOW ? !exists : !is_to_change(order, &budget))
        return;
    if (order->order != ORDER_SHOW) {
        if (!change(order, &target))
            return;
        log_change(order, rule, &budget);
        (void)budgets_look(&order->budgets, &target, &budget);
    }
    json_t *object = rule_object(rule);
    put_budget(object, &budget);
    json_array_append_new(order->limits, object);
}

static json_t *go_over_key(struct limits_order *order,
                           const struct ruleset *rules)
{
    order->limits = json_array();
    each_rule(rules, on_keyed_rule, order);
    if (!order->is_full && order->budgets.fault == NULL)
        return json_pack("{s:b, s:o, s:o}", "ok", 1, "key",
                         control_text(order->key), "limits", order->limits);
    json_decref(order->limits);
    if (order->budgets.fault != NULL)
        return budgets_refusal(&order->budgets);
    return control_refusal("there is no room for more boosts: end some with "
                           "--boost 1x, or let some end");
}

/* --- all rules --- */

/* One that all share has no key that would be unknown. */
static void on_any_rule(void *owner, const struct rule *rule)
{
    struct limits_order *order = owner;
    json_t *object = rule_object(rule);
    if (rule->limit->by_count == 0) {
        const struct ledger_target target = {rule, rule->limit, STR("")};
        struct ledger_budget budget;
        (void)budgets_look(&order->budgets, &target, &budget);
        put_budget(object, &budget);
    }
    json_array_append_new(order->limits, object);
}

static json_t *show_rules(struct limits_order *order,
                          const struct ruleset *rules)
{
    const struct limits_settings *limits = &order->c->settings->limits;
    uint64_t in_use, max;
    order->limits = json_array();
    each_rule(rules, on_any_rule, order);
    budgets_count(&order->budgets, &in_use, &max);
    if (order->budgets.fault != NULL) {
        json_decref(order->limits);
        return budgets_refusal(&order->budgets);
    }
    json_t *reply = json_pack("{s:b, s:o, s:I}", "ok", 1, "limits",
                              order->limits, "in_use", (json_int_t)in_use);
    if (max > 0)
        json_object_set_new(reply, "room", json_integer((json_int_t)max));
    else
        json_object_set_new(reply, "store", control_text(limits->store_text));
    return reply;
}

/* --- the request --- */

/* NULL, or what is wrong with it. */
static json_t *read_order(const json_t *request, struct limits_order *order)
{
    const json_t *percent = json_object_get(request, "boost_percent");
    json_int_t factor = json_integer_value(percent);
    json_int_t for_ms = json_integer_value(json_object_get(request, "for_ms"));
    bool is_reset = json_is_true(json_object_get(request, "reset"));
    if (is_reset && percent != NULL)
        return control_refusal("reset or boost, one at a time");
    order->order = is_reset          ? ORDER_RESET
                   : percent != NULL ? ORDER_BOOST
                                     : ORDER_SHOW;
    if (order->order != ORDER_BOOST)
        return NULL;
    if (factor < BOOST_PERCENT_MIN || factor > BOOST_PERCENT_MAX)
        return control_refusal("a boost is from %.2fx to %dx",
                               BOOST_PERCENT_MIN / 100.0,
                               BOOST_PERCENT_MAX / 100);
    if (factor != 100 && (for_ms <= 0 || (uint64_t)for_ms > BOOST_MS_MAX))
        return control_refusal("a boost needs an end: for up to 31 days");
    order->percent = (uint32_t)factor;
    order->for_ms = factor == 100 ? 0 : (uint64_t)for_ms;
    return NULL;
}

static json_t *answer_key(struct limits_order *order, const char *key,
                          const struct ruleset *rules)
{
    struct arena arena;
    json_t *reply = NULL;
    arena_init(&arena, 16 * KEY_MAX);
    order->key = address_canonical(&arena, str_from(key));
    if (order->key.p == NULL || order->key.n == 0 || order->key.n > KEY_MAX)
        reply = control_refusal("a key has 1 to %d octets", KEY_MAX);
    else
        reply = go_over_key(order, rules);
    arena_release(&arena);
    return reply;
}

json_t *verb_limits(void *owner, const json_t *request)
{
    const struct controlled *c = owner;
    struct limits_order order = {.c = c};
    const char *key = json_string_value(json_object_get(request, "key"));
    json_t *reply = read_order(request, &order);
    if (reply != NULL)
        return reply;
    if (key == NULL && order.order != ORDER_SHOW)
        return control_refusal("whose budgets? \"key\" is missing");
    const struct settings *policy = snapshots_newest(c->snapshots);
    budgets_open(&order.budgets, c, &policy->limits);
    reply = key == NULL ? show_rules(&order, policy->rules)
                        : answer_key(&order, key, policy->rules);
    budgets_close(&order.budgets);
    settings_unref(policy);
    return reply;
}
