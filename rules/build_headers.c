/* `headers`: fields that a rule removes, sets or adds. */
#include "rules/build_internal.h"
#include "rules/rule_table.h"

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
    for (size_t i = 0; i < header_key_count; i++) {
        if (str_equals(word, str_from(header_keys[i].name))) {
            *out = (enum header_edit_kind)i;
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
    if (build_check_stage(builder, "headers") != 0 ||
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
