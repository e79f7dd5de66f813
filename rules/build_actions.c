#include "rules/build_internal.h"

#define AT(stage) (1u << STAGE_##stage)
#define AT_ALL ((1u << STAGE_COUNT) - 1)

int build_check_stage(struct ruleset_builder *builder, const char *action,
                      unsigned stages, const char *where)
{
    enum stage stage = builder->rule->stage;
    builder->item = 0;
    if ((stages & 1u << stage) == 0)
        return build_fail(builder, "%s may be used at %s, not at %s", action,
                          where, stage_name(stage));
    return 0;
}

static int check_rewrite(struct ruleset_builder *builder,
                         const struct fact_ref *fact, struct str name)
{
    enum stage stage = builder->rule->stage;
    bool is_here = (fact->fact == FACT_MAIL_FROM && stage == STAGE_MAIL) ||
                   (fact->fact == FACT_RCPT_TO && stage == STAGE_RCPT) ||
                   (fact->fact == FACT_HEADER && stage == STAGE_HEADER);
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

static bool is_field_name(struct str name, bool is_glob)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] < '!' || name.p[i] > '~' || name.p[i] == ':')
            return false;
        if (name.p[i] == '*' && !is_glob)
            return false;
    }
    return name.n > 0;
}

static int header_word(struct ruleset_builder *builder, struct str word,
                       enum header_edit_kind *out)
{
    static const struct {
        const char *name;
        enum header_edit_kind kind;
    } HEADER_WORDS[] = {
        {"remove", HEADER_EDIT_REMOVE},
        {"set", HEADER_EDIT_SET},
        {"add", HEADER_EDIT_ADD},
        {"add_missing", HEADER_EDIT_ADD_MISSING},
    };
    for (size_t i = 0; i < sizeof HEADER_WORDS / sizeof HEADER_WORDS[0]; i++) {
        if (str_equals(word, str_from(HEADER_WORDS[i].name))) {
            *out = HEADER_WORDS[i].kind;
            return 0;
        }
    }
    return build_fail(builder,
                      "headers has no key %.*s; there are remove, "
                      "set, add and add_missing",
                      PROBLEM_STR(word));
}

int build_headers(struct ruleset_builder *builder, struct str word,
                  struct str name, struct str value)
{
    struct rule *rule = builder->rule;
    struct header_action action = {0};
    if (build_check_stage(builder, "headers",
                          AT(MAIL) | AT(RCPT) | AT(DATA) | AT(HEADER),
                          "mail, rcpt, data, header") != 0 ||
        header_word(builder, word, &action.kind) != 0)
        return -1;
    if (!is_field_name(name, action.kind == HEADER_EDIT_REMOVE))
        return build_fail(builder, "%.*s is no name of a header field",
                          PROBLEM_STR(name));
    action.name = arena_str(build_arena(builder), name);
    if (action.name.p == NULL)
        return build_out_of_memory(builder);
    if (action.kind != HEADER_EDIT_REMOVE &&
        build_template(builder, value,
                       TEMPLATE_MAY_CAPTURE | TEMPLATE_MAY_LIMIT,
                       &action.text) != 0)
        return -1;
    struct header_action *items =
        build_grow(builder, rule->headers, rule->header_count,
                   &rule->header_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    rule->headers = items;
    items[rule->header_count++] = action;
    return 0;
}

int build_route(struct ruleset_builder *builder, struct str upstream)
{
    struct ruleset *ruleset = builder->ruleset;
    if (build_check_stage(builder, "route",
                          AT(CONNECT) | AT(HELO) | AT(AUTH) | AT(MAIL) |
                              AT(RCPT),
                          "connect, helo, auth, mail, rcpt") != 0)
        return -1;
    if (upstream.n == 0)
        return build_fail(builder, "route names an upstream");
    struct str copy = arena_str(build_arena(builder), upstream);
    if (copy.p == NULL)
        return build_out_of_memory(builder);
    builder->rule->route = copy;
    for (size_t i = 0; i < ruleset->route_count; i++)
        if (str_equals(ruleset->routes[i], copy))
            return 0;
    struct str *items =
        build_grow(builder, ruleset->routes, ruleset->route_count,
                   &ruleset->route_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    ruleset->routes = items;
    items[ruleset->route_count++] = copy;
    return 0;
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
