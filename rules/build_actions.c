#include "rules/address.h"
#include "rules/build_internal.h"
#include "rules/rule_table.h"

int build_check_stage(struct ruleset_builder *builder, const char *key)
{
    enum stage stage = builder->rule->stage;
    const struct rule_key *row = rule_key_find(str_from(key));
    builder->item = 0;
    if ((row->stages & 1u << stage) == 0)
        return build_fail(builder, "%s may be used at %s, not at %s", key,
                          row->where, stage_name(stage));
    return 0;
}

static int check_rewrite(struct ruleset_builder *builder,
                         const struct fact_ref *fact, struct str name)
{
    enum stage stage = builder->rule->stage;
    enum fact here;
    bool is_here = rule_rewrites(stage, &here) && here == fact->fact;
    if (is_here && fact->part == FACT_PART_ALL)
        return 0;
    if (fact->part != FACT_PART_ALL)
        return build_fail(builder,
                          "rewrite takes the whole address, not "
                          "%.*s alone",
                          PROBLEM_STR(name));
    return build_fail(builder,
                      "rewrite takes mail.from at mail, rcpt.to at rcpt and "
                      "header.NAME at header, not %.*s at %s",
                      PROBLEM_STR(name), stage_name(stage));
}

int build_rewrite(struct ruleset_builder *builder, struct str fact,
                  struct str text)
{
    struct rule *rule = builder->rule;
    struct rewrite_action rewrite = {0};
    builder->item = 0;
    if (build_check_fact(builder, fact, &rewrite.fact) != 0 ||
        check_rewrite(builder, &rewrite.fact, fact) != 0 ||
        build_template(builder, text, TEMPLATE_MAY_CAPTURE | TEMPLATE_MAY_LIMIT,
                       &rewrite.text) != 0)
        return -1;
    struct rewrite_action *items =
        build_grow(builder, rule->rewrites, rule->rewrite_count,
                   &rule->rewrite_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    rule->rewrites = items;
    items[rule->rewrite_count++] = rewrite;
    return 0;
}

/* Each once. */
static int add_name(struct ruleset_builder *builder, struct str name,
                    struct str **names, size_t *count, size_t *capacity)
{
    for (size_t i = 0; i < *count; i++)
        if (str_equals((*names)[i], name))
            return 0;
    struct str *items =
        build_grow(builder, *names, *count, capacity, sizeof *items);
    if (items == NULL)
        return -1;
    *names = items;
    items[(*count)++] = name;
    return 0;
}

int build_route(struct ruleset_builder *builder, struct str upstream)
{
    struct ruleset *ruleset = builder->ruleset;
    if (build_check_stage(builder, "route") != 0)
        return -1;
    if (upstream.n == 0)
        return build_fail(builder, "route names an upstream");
    struct str copy = arena_str(build_arena(builder), upstream);
    if (copy.p == NULL)
        return build_out_of_memory(builder);
    builder->rule->route = copy;
    return add_name(builder, copy, &ruleset->routes, &ruleset->route_count,
                    &ruleset->route_capacity);
}

static int change_list(struct ruleset_builder *builder, struct str list,
                       struct str text, struct list_action *action)
{
    struct rule *rule = builder->rule;
    action->list = build_find_list(builder, list);
    if (action->list == NULL)
        return -1;
    if (!action->list->is_dynamic)
        return build_fail(builder,
                          "the list %.*s is not dynamic; declare it as "
                          "{dynamic: true}",
                          PROBLEM_STR(list));
    if (build_template(builder, text, TEMPLATE_MAY_CAPTURE | TEMPLATE_MAY_LIMIT,
                       &action->text) != 0)
        return -1;
    struct list_action *items =
        build_grow(builder, rule->lists, rule->list_count, &rule->list_capacity,
                   sizeof *items);
    if (items == NULL)
        return -1;
    rule->lists = items;
    items[rule->list_count++] = *action;
    return 0;
}

int build_list_add(struct ruleset_builder *builder, struct str list,
                   struct str text, struct str duration)
{
    struct list_action action = {0};
    builder->item = 0;
    if (duration.n > 0 && (quantity_duration(duration, &action.for_ms) != 0 ||
                           action.for_ms == 0))
        return build_fail(builder, "%.*s is no time, such as 30m or 12h",
                          PROBLEM_STR(duration));
    return change_list(builder, list, text, &action);
}

int build_list_remove(struct ruleset_builder *builder, struct str list,
                      struct str text)
{
    struct list_action action = {.is_removal = true};
    builder->item = 0;
    return change_list(builder, list, text, &action);
}

static int add_text(struct ruleset_builder *builder, struct str text,
                    struct template **items, size_t *count, size_t *capacity)
{
    struct template template;
    builder->item = 0;
    if (text.n == 0)
        return build_fail(builder, "an empty text says nothing in the log");
    if (build_template(builder, text, TEMPLATE_MAY_CAPTURE | TEMPLATE_MAY_LIMIT,
                       &template) != 0)
        return -1;
    struct template *moved =
        build_grow(builder, *items, *count, capacity, sizeof *moved);
    if (moved == NULL)
        return -1;
    *items = moved;
    moved[(*count)++] = template;
    return 0;
}

int build_tag(struct ruleset_builder *builder, struct str text)
{
    struct rule *rule = builder->rule;
    return add_text(builder, text, &rule->tags, &rule->tag_count,
                    &rule->tag_capacity);
}

int build_note(struct ruleset_builder *builder, struct str text)
{
    struct rule *rule = builder->rule;
    return add_text(builder, text, &rule->notes, &rule->note_count,
                    &rule->note_capacity);
}

/* One without facts is known to be an address or not. */
static int check_recipient(struct ruleset_builder *builder,
                           const struct template *template)
{
    struct address parsed;
    if (template->count != 1 || template->segments[0].kind != SEGMENT_LITERAL ||
        address_parse(template->segments[0].text, &parsed) == ADDRESS_OK)
        return 0;
    return build_fail(builder, "%.*s is no mail address",
                      PROBLEM_STR(template->segments[0].text));
}

int build_add_recipient(struct ruleset_builder *builder, struct str text,
                        bool is_required)
{
    struct rule *rule = builder->rule;
    struct recipient_action action = {.is_required = is_required};
    if (build_check_stage(builder, "add_recipient") != 0)
        return -1;
    if (text.n == 0)
        return build_fail(builder, "add_recipient names a mail address");
    if (build_template(builder, text, TEMPLATE_MAY_CAPTURE | TEMPLATE_MAY_LIMIT,
                       &action.text) != 0 ||
        check_recipient(builder, &action.text) != 0)
        return -1;
    struct recipient_action *items =
        build_grow(builder, rule->recipients, rule->recipient_count,
                   &rule->recipient_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    rule->recipients = items;
    items[rule->recipient_count++] = action;
    return 0;
}

int build_ask(struct ruleset_builder *builder, struct str server)
{
    struct ruleset *ruleset = builder->ruleset;
    if (build_check_stage(builder, "ask") != 0)
        return -1;
    if (server.n == 0)
        return build_fail(builder, "ask names a policy server");
    struct str copy = arena_str(build_arena(builder), server);
    if (copy.p == NULL)
        return build_out_of_memory(builder);
    builder->rule->ask = copy;
    return add_name(builder, copy, &ruleset->asks, &ruleset->ask_count,
                    &ruleset->ask_capacity);
}

int build_delay(struct ruleset_builder *builder, struct str text)
{
    uint64_t *ms = &builder->rule->delay_ms;
    if (build_check_stage(builder, "delay") != 0)
        return -1;
    if (quantity_duration(text, ms) != 0 || *ms == 0)
        return build_fail(builder, "%.*s is no time, such as 500ms or 2s",
                          PROBLEM_STR(text));
    if (*ms > BUILD_DELAY_MS_MAX)
        return build_fail(builder,
                          "a rule delays an answer by 2m at most, not %.*s: "
                          "clients wait no longer than five",
                          PROBLEM_STR(text));
    return 0;
}
