/* What a rule does: a function a key. The builder knows what is right; here
 * is said where it stands. */
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

static void read_scalar(struct policy_reader *policy, const struct node *node,
                        const char *name,
                        int (*build)(struct ruleset_builder *, struct str))
{
    struct str text;
    if (node_scalar(policy->reader, node, name, &text) &&
        build(policy->builder, text) != 0)
        refuse(policy, node);
}

static void read_accept(struct policy_reader *policy, const struct node *node)
{
    read_scalar(policy, node, "accept", build_accept);
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
    /* The settings are still being built; EHLO asks this upstream too. A
     * candidate sends nothing there. */
    if (!policy->reader->is_shadow)
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
    {.name = "add",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .content = CONTENT_TEMPLATE,
     .help = "{LIST: text} for dynamic lists"},
    {.name = "remove",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .content = CONTENT_TEMPLATE,
     .help = "{LIST: text} for dynamic lists"},
    {.name = "for", .type = KEY_TIME, .help = "how long an added entry stays"},
};

const struct schema list_change_schema = {"list", list_change_keys,
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

static const struct key recipient_keys[] = {
    {.name = "address",
     .type = KEY_OWN,
     .is_required = true,
     .content = CONTENT_TEMPLATE,
     .help = "a mail address, or a template of one"},
    {.name = "required",
     .type = KEY_FLAG,
     .fallback = "true",
     .help = "false: if it is refused, that is only logged"},
};

const struct schema recipient_schema = {"add_recipient", recipient_keys,
                                        sizeof recipient_keys /
                                            sizeof *recipient_keys};

static void read_recipient_map(struct policy_reader *policy,
                               const struct node *node)
{
    struct str text;
    bool is_required = true;
    size_t errors = policy->reader->diags->errors;
    schema_check_keys(policy->reader, &recipient_schema, node);
    if (policy->reader->diags->errors != errors)
        return;
    const struct node *address = node_get(node, "address");
    const struct node *required = node_get(node, "required");
    if (address == NULL) {
        diags_error(policy->reader->diags, node->mark,
                    "add_recipient takes an address, or {address: ..., "
                    "required: false}");
        return;
    }
    if (required != NULL &&
        !node_flag(policy->reader, required, "required", &is_required))
        return;
    if (node_template(policy->reader, address, "address", &text) &&
        build_add_recipient(policy->builder, text, is_required) != 0)
        refuse(policy, address);
}

static void read_add_recipient(struct policy_reader *policy,
                               const struct node *node)
{
    for (size_t i = 0; i < node_list_count(node); i++) {
        const struct node *item = node_list_item(node, i);
        struct str text;
        if (item->kind == NODE_MAP && !node_is_bare_template(item))
            read_recipient_map(policy, item);
        else if (node_template(policy->reader, item, "add_recipient", &text) &&
                 build_add_recipient(policy->builder, text, true) != 0)
            refuse(policy, item);
    }
}

static void read_ask(struct policy_reader *policy, const struct node *node)
{
    const struct policy_server_settings *server =
        read_policy_server_name(policy->reader, node);
    if (server != NULL && build_ask(policy->builder, server->name) != 0)
        refuse(policy, node);
}

static void read_delay(struct policy_reader *policy, const struct node *node)
{
    read_scalar(policy, node, "delay", build_delay);
}

static void read_mode(struct policy_reader *policy, const struct node *node)
{
    read_scalar(policy, node, "mode", build_mode);
}

static const struct {
    struct str key;
    void (*read)(struct policy_reader *policy, const struct node *node);
} actions[] = {
    {STR_INIT("accept"), read_accept},
    {STR_INIT("reject"), read_reject},
    {STR_INIT("defer"), read_defer},
    {STR_INIT("close"), read_close},
    {STR_INIT("rewrite"), read_rewrite},
    {STR_INIT("headers"), read_headers},
    {STR_INIT("route"), read_route},
    {STR_INIT("list"), read_list_change},
    {STR_INIT("tag"), read_tag},
    {STR_INIT("note"), read_note},
    {STR_INIT("add_recipient"), read_add_recipient},
    {STR_INIT("ask"), read_ask},
    {STR_INIT("delay"), read_delay},
    {STR_INIT("mode"), read_mode},
};

void read_action(struct policy_reader *policy, const struct node *key,
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
