/* A rule: its name, when and limit; read_action.c has what it does. The
 * builder knows what is right; here is said where it stands. */
#include "config/policy_reader.h"

static void read_limit(struct policy_reader *policy, const struct node *node)
{
    if (!node_is_map(policy->reader, node, "limit"))
        return;
    if (node->count == 0)
        diags_error(policy->reader->diags, node->mark,
                    "limit is empty: name a unit, such as {messages: 100/h}, "
                    "or leave it out");
    for (size_t i = 0; i < node->count; i++) {
        const struct node *key = node->keys[i];
        const struct node *value = node->values[i];
        struct str *values = NULL;
        size_t count = 0;
        if (!read_values(policy, value, "limit", &values, &count) ||
            build_limit(policy->builder, key->text, values, count) == 0)
            continue;
        if (str_equals(key->text, STR("by")))
            refuse_item(policy, value);
        else
            refuse(policy, key);
    }
}

/* The order is the builder's: the captures of `when` are known before the
 * templates that use them, wherever they stand in the file. */
static void read_parts(struct policy_reader *policy, const struct node *node)
{
    const struct node *when = node_get(node, "when");
    const struct node *limit = node_get(node, "limit");
    struct condition *condition = NULL;
    if (when != NULL && read_when(policy, when, &condition) &&
        build_when(policy->builder, condition) != 0)
        refuse(policy, when);
    if (limit != NULL)
        read_limit(policy, limit);
    for (size_t i = 0; i < node->count; i++) {
        struct str key = node->keys[i]->text;
        if (!str_equals(key, STR("rule")) && !str_equals(key, STR("when")) &&
            !str_equals(key, STR("limit")))
            read_action(policy, node->keys[i], node->values[i]);
    }
}

/* Whether every listener that `when` names asks for no login. */
static bool is_without_login(const struct settings *settings,
                             const struct node *names)
{
    for (size_t i = 0; i < node_list_count(names); i++) {
        const struct node *name = node_list_item(names, i);
        bool is_open = false;
        for (size_t k = 0; k < settings->listener_count; k++)
            if (name->kind == NODE_SCALAR &&
                str_equals_nocase(settings->listeners[k].name, name->text))
                is_open = settings->listeners[k].auth == AUTH_NONE;
        if (!is_open)
            return false;
    }
    return node_list_count(names) > 0;
}

static bool has_logins(const struct settings *settings)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (settings->listeners[i].auth != AUTH_NONE)
            return true;
    return settings->listener_count == 0;
}

static void warn_of_login(struct policy_reader *policy, const struct node *node)
{
    static const enum fact facts[] = {FACT_AUTH_NAME,   FACT_AUTH_RESULT,
                                      FACT_AUTH_USER,   FACT_AUTH_ADDRESSES,
                                      FACT_AUTH_GROUPS, FACT_AUTH_MECHANISM,
                                      FACT_CLIENT_KNOWN};
    const struct node *when = node_get(node, "when");
    const struct node *names = when == NULL || when->kind != NODE_MAP
                                   ? NULL
                                   : node_get(when, "listener");
    bool is_named = names != NULL && names->kind != NODE_MAP;
    if (is_named ? !is_without_login(policy->reader->settings, names)
                 : has_logins(policy->reader->settings))
        return;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (!build_rule_requires(policy->builder, facts[i]))
            continue;
        diags_warn(policy->reader->diags, node->mark,
                   "the rule can never act: nobody logs in at %s, and it "
                   "names %s",
                   is_named ? "its listener" : "any listener",
                   fact_name(facts[i]));
        return;
    }
}

void read_rule(struct policy_reader *policy, enum stage stage,
               const struct node *node)
{
    struct diags *diags = policy->reader->diags;
    if (!node_is_map(policy->reader, node, "a rule"))
        return;
    const struct node *name = node_get(node, "rule");
    struct str text;
    if (name == NULL) {
        diags_error(diags, node->mark,
                    "a rule needs a name: rule: what it is for");
        return;
    }
    if (!node_text(policy->reader, name, "rule", &text))
        return;
    size_t errors = diags->errors;
    if (build_rule_start(policy->builder, stage, text,
                         keep_origin(policy, node->mark)) != 0)
        refuse(policy, name);
    else
        read_parts(policy, node);
    if (diags->errors == errors)
        warn_of_login(policy, node);
    /* A rule of which a part is missing because it was wrong is not said to
     * lack it. */
    if (build_rule_end(policy->builder) != 0 && diags->errors == errors)
        refuse(policy, node);
}
