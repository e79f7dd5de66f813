/* A rule: its name, when, limit, and what it does. The builder knows what is
 * right; here is said where it stands. */
#include "config/policy_reader.h"

static void read_reply(struct policy_reader *policy, const struct node *node,
                       const char *name,
                       int (*build)(struct ruleset_builder *, struct str))
{
    struct str text;
    if (node_template(policy->reader, node, name, &text) &&
        build(policy->builder, text) != 0)
        refuse(policy, node);
}

static void read_accept(struct policy_reader *policy, const struct node *node)
{
    struct str text;
    if (node_scalar(policy->reader, node, "accept", &text) &&
        build_accept(policy->builder, text) != 0)
        refuse(policy, node);
}

static void read_reject(struct policy_reader *policy, const struct node *node)
{
    read_reply(policy, node, "reject", build_reject);
}

static void read_defer(struct policy_reader *policy, const struct node *node)
{
    read_reply(policy, node, "defer", build_defer);
}

static void read_close(struct policy_reader *policy, const struct node *node)
{
    read_reply(policy, node, "close", build_close);
}

static void read_note(struct policy_reader *policy, const struct node *node)
{
    read_reply(policy, node, "note", build_note);
}

static void read_rewrite(struct policy_reader *policy, const struct node *node)
{
    if (!node_is_map(policy->reader, node, "rewrite"))
        return;
    if (node->count == 0)
        diags_error(policy->reader->diags, node->mark,
                    "rewrite is empty: name a fact, such as {mail.from: ...}");
    for (size_t i = 0; i < node->count; i++) {
        struct str text;
        if (node_template(policy->reader, node->values[i], "rewrite", &text) &&
            build_rewrite(policy->builder, node->keys[i]->text, text) != 0)
            refuse(policy, node->values[i]);
    }
}

static void read_removed_headers(struct policy_reader *policy, struct str word,
                                 const struct node *value)
{
    for (size_t i = 0; i < node_list_count(value); i++) {
        const struct node *item = node_list_item(value, i);
        struct str name;
        if (node_scalar(policy->reader, item, "remove", &name) &&
            build_headers(policy->builder, word, name, STR("")) != 0)
            refuse(policy, item);
    }
}

static void read_edited_headers(struct policy_reader *policy, struct str word,
                                const struct node *value)
{
    for (size_t i = 0; i < value->count; i++) {
        struct str text;
        if (node_template(policy->reader, value->values[i], "headers", &text) &&
            build_headers(policy->builder, word, value->keys[i]->text, text) !=
                0)
            refuse(policy, value->values[i]);
    }
}

static void read_headers(struct policy_reader *policy, const struct node *node)
{
    if (!node_is_map(policy->reader, node, "headers"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *value = node->values[i];
        struct str word = node->keys[i]->text;
        if (str_equals(word, STR("remove")))
            read_removed_headers(policy, word, value);
        else if (value->kind == NODE_MAP && !node_is_bare_template(value))
            read_edited_headers(policy, word, value);
        else
            diags_error(policy->reader->diags, node->keys[i]->mark,
                        "headers takes remove: [names], and set, add or "
                        "add_missing: {Name: text}");
    }
}

static void read_route(struct policy_reader *policy, const struct node *node)
{
    const struct upstream_settings *upstream =
        read_upstream_name(policy->reader, node);
    if (upstream == NULL)
        return;
    if (build_route(policy->builder, upstream->name) != 0)
        refuse(policy, node);
    /* The settings are still being built; EHLO asks this upstream too. */
    ((struct upstream_settings *)upstream)->is_routed = true;
}

/* {NAME: template, ...}, for lists to add to or to remove from. */
static void read_list_entries(struct policy_reader *policy,
                              const struct node *node, bool is_removal,
                              struct str duration)
{
    if (!node_is_map(policy->reader, node, is_removal ? "remove" : "add"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *value = node->values[i];
        struct str name = node->keys[i]->text;
        struct str text;
        if (!node_template(policy->reader, value, "list", &text))
            continue;
        int result =
            is_removal ? build_list_remove(policy->builder, name, text)
                       : build_list_add(policy->builder, name, text, duration);
        if (result != 0)
            refuse(policy, value);
    }
}

static const struct key list_change_keys[] = {
    {.name = "add", .help = "{NAME: template} for a dynamic list"},
    {.name = "remove", .help = "{NAME: template} for a dynamic list"},
    {.name = "for", .help = "how long an added entry stays"},
};

static const struct schema list_change_schema = {"list", list_change_keys,
                                                 sizeof list_change_keys /
                                                     sizeof *list_change_keys};

static void read_list_change(struct policy_reader *policy,
                             const struct node *node)
{
    if (!node_is_map(policy->reader, node, "list"))
        return;
    size_t errors = policy->reader->diags->errors;
    schema_check_keys(policy->reader, &list_change_schema, node);
    if (policy->reader->diags->errors != errors)
        return;
    const struct node *add = node_get(node, "add");
    const struct node *removal = node_get(node, "remove");
    const struct node *lifetime = node_get(node, "for");
    struct str duration = STR("");
    if (lifetime != NULL &&
        !node_text(policy->reader, lifetime, "for", &duration))
        return;
    if (lifetime != NULL && add == NULL)
        diags_error(policy->reader->diags, lifetime->mark,
                    "for belongs to add: a removal is for good");
    if (add == NULL && removal == NULL)
        diags_error(policy->reader->diags, node->mark,
                    "list takes add: {NAME: value} or remove: {NAME: value}");
    if (add != NULL)
        read_list_entries(policy, add, false, duration);
    if (removal != NULL)
        read_list_entries(policy, removal, true, duration);
}

static void read_tag(struct policy_reader *policy, const struct node *node)
{
    struct str *values = NULL;
    size_t count = 0;
    if (!read_values(policy, node, "tag", &values, &count))
        return;
    for (size_t i = 0; i < count; i++)
        if (build_tag(policy->builder, values[i]) != 0)
            refuse(policy, node_list_item(node, i));
}

static const struct {
    struct str key;
    void (*read)(struct policy_reader *policy, const struct node *node);
} actions[] = {
    {STR_INIT("accept"), read_accept},   {STR_INIT("reject"), read_reject},
    {STR_INIT("defer"), read_defer},     {STR_INIT("close"), read_close},
    {STR_INIT("rewrite"), read_rewrite}, {STR_INIT("headers"), read_headers},
    {STR_INIT("route"), read_route},     {STR_INIT("list"), read_list_change},
    {STR_INIT("tag"), read_tag},         {STR_INIT("note"), read_note},
};

static void read_action(struct policy_reader *policy, const struct node *key,
                        const struct node *value)
{
    if (build_rule_key(policy->builder, key->text) != 0) {
        refuse(policy, key);
        return;
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (str_equals(actions[i].key, key->text))
            actions[i].read(policy, value);
}

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

static void warn_of_login(struct policy_reader *policy, const struct node *node)
{
    static const enum fact facts[] = {FACT_AUTH_NAME,   FACT_AUTH_RESULT,
                                      FACT_AUTH_USER,   FACT_AUTH_ADDRESSES,
                                      FACT_AUTH_GROUPS, FACT_AUTH_MECHANISM};
    const struct node *when = node_get(node, "when");
    const struct node *names = when == NULL || when->kind != NODE_MAP
                                   ? NULL
                                   : node_get(when, "listener");
    if (names == NULL || names->kind == NODE_MAP ||
        !is_without_login(policy->reader->settings, names))
        return;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (!build_rule_requires(policy->builder, facts[i]))
            continue;
        diags_warn(policy->reader->diags, node->mark,
                   "the rule can never act: nobody logs in at its listener, "
                   "and it names %s",
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
