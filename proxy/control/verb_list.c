/* Dynamic lists: what they hold, and changes to it. */
#include "proxy/control/budgets_at_hand.h"

#include "proxy/log/json_line.h"
#include "rules/list.h"

#include <string.h>
#include <time.h>

#define VALUE_MAX 1024
/* A list may hold a million values; an answer shows so many octets of them. */
#define SHOWN_OCTETS_MAX (8 * 1024 * 1024)
#define EVENT_MAX 16384

/* "; dynamic lists here: a, b", or that there are none. */
static void name_dynamic_lists(const struct ruleset *rules, char *out,
                               size_t room)
{
    size_t length = 0;
    for (size_t i = 0; i < ruleset_list_count(rules); i++) {
        const struct list *list = ruleset_list_at(rules, i);
        if (!list->is_dynamic || length >= room)
            continue;
        int n = snprintf(out + length, room - length, "%s%.*s",
                         length == 0 ? "the dynamic lists here are: " : ", ",
                         (int)list->name.n, list->name.p);
        length += n < 0 ? 0 : (size_t)n;
    }
    if (length == 0)
        snprintf(out, room, "the policy has no dynamic list");
}

/* NULL: `refusal` says why. */
static const struct list *find_list(const struct ruleset *rules,
                                    const json_t *request, json_t **refusal)
{
    char others[512];
    const char *name = json_string_value(json_object_get(request, "list"));
    if (name == NULL) {
        *refusal = control_refusal("which list? \"list\" is missing");
        return NULL;
    }
    const struct list *list = ruleset_list(rules, str_from(name));
    if (list != NULL && list->is_dynamic)
        return list;
    name_dynamic_lists(rules, others, sizeof others);
    *refusal = list == NULL
                   ? control_refusal("there is no list %s; %s", name, others)
                   : control_refusal("the list %s is not dynamic: its entries "
                                     "are in the configuration; %s",
                                     name, others);
    return NULL;
}

struct shown {
    json_t *values;
    size_t octets, left_out;
};

static void show_value(void *owner, struct str value, uint64_t left_ms)
{
    struct shown *shown = owner;
    if (shown->octets + value.n > SHOWN_OCTETS_MAX) {
        shown->left_out++;
        return;
    }
    shown->octets += value.n + 32;
    json_t *item = json_pack("{s:o}", "value", control_text(value));
    if (item != NULL && left_ms > 0)
        json_object_set_new(item, "left_ms", json_integer((json_int_t)left_ms));
    json_array_append_new(shown->values, item);
}

static json_t *show_list(struct budgets_at_hand *budgets,
                         const struct list *list)
{
    struct shown shown = {.values = json_array()};
    budgets_each_listed(budgets, list->name, show_value, &shown);
    if (budgets->fault != NULL) {
        json_decref(shown.values);
        return budgets_refusal(budgets);
    }
    return json_pack("{s:b, s:o, s:o, s:I}", "ok", 1, "list",
                     control_text(list->name), "values", shown.values,
                     "not_shown", (json_int_t)shown.left_out);
}

static void log_change(const struct controlled *c,
                       const struct list_change *change)
{
    struct json_line line;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    json_line_init(&line, EVENT_MAX);
    json_open_object(&line, NULL);
    json_time(&line, "time",
              (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    json_text(&line, "event", STR("list"));
    json_text(&line, "by", STR("control"));
    json_text(&line, "list", change->list->name);
    json_text(&line, "did", change->is_removal ? STR("remove") : STR("add"));
    control_put_value(c, &line, "value", change->value);
    if (change->for_ms > 0)
        json_number(&line, "for_ms", change->for_ms);
    json_close_object(&line);
    decision_log_write(c->decisions, json_line_end(&line));
    json_line_release(&line);
}

static json_t *change_list(struct budgets_at_hand *budgets,
                           struct list_change *change, const char *value)
{
    struct arena arena;
    json_t *reply = NULL;
    arena_init(&arena, 16 * VALUE_MAX);
    change->value = list_value(change->list, &arena, str_from(value));
    if (change->value.p == NULL || change->value.n == 0 ||
        change->value.n > VALUE_MAX) {
        reply = control_refusal("a value has 1 to %d octets", VALUE_MAX);
    } else if (!budgets_apply(budgets, change)) {
        reply = control_refusal("the dynamic lists are full: remove values "
                                "first, or let some expire");
    } else if (budgets->fault != NULL) {
        reply = budgets_refusal(budgets);
    } else {
        log_change(budgets->c, change);
        reply = json_pack("{s:b, s:o, s:o}", "ok", 1, "list",
                          control_text(change->list->name), "value",
                          control_text(change->value));
    }
    arena_release(&arena);
    return reply;
}

json_t *verb_list(void *owner, const json_t *request)
{
    const struct controlled *c = owner;
    const struct settings *policy = snapshots_newest(c->snapshots);
    const char *add = json_string_value(json_object_get(request, "add"));
    const char *taken = json_string_value(json_object_get(request, "remove"));
    json_int_t for_ms = json_integer_value(json_object_get(request, "for_ms"));
    json_t *reply = NULL;
    struct budgets_at_hand budgets;
    const struct list *list = find_list(policy->rules, request, &reply);
    struct list_change change = {.list = list,
                                 .for_ms = for_ms > 0 ? (uint64_t)for_ms : 0,
                                 .is_removal = add == NULL};
    budgets_open(&budgets, c, &policy->limits);
    if (list == NULL)
        ; /* the reply says why */
    else if (add != NULL && taken != NULL)
        reply = control_refusal("add or remove, one at a time");
    else if (add != NULL || taken != NULL)
        reply = change_list(&budgets, &change, add != NULL ? add : taken);
    else
        reply = show_list(&budgets, list);
    budgets_close(&budgets);
    settings_unref(policy);
    return reply;
}
