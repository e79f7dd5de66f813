/* lists: and policy: of all files, in their order: stages and lists add up. */
#include "config/policy_reader.h"

#include "rules/nearest.h"
#include "rules/problem.h"

/* --- lists --- */

static const struct key list_keys[] = {
    {.name = "file", .type = KEY_PATH, .help = "a file with an entry a line"},
    {.name = "dynamic",
     .type = KEY_FLAG,
     .help = "true: rules and commands add and remove"},
};

const struct schema list_schema = {"a list", list_keys,
                                   sizeof list_keys / sizeof *list_keys};

static void read_list_file(struct policy_reader *policy, const struct node *key,
                           const struct node *node)
{
    struct reader *reader = policy->reader;
    struct str text;
    if (!node_text(reader, node, "file", &text))
        return;
    const char *path = reader_path(reader, node->mark, text);
    struct str octets;
    if (path == NULL ||
        reader_file(reader, FILE_LIST, node->mark, path, &octets) != 0)
        return;
    size_t line = 0;
    if (build_list_file(policy->builder, key->text, octets,
                        keep_origin(policy, key->mark), &line) == 0)
        return;
    struct mark mark = {path, line, 1};
    diags_error(reader->diags, line == 0 ? key->mark : mark, "%s",
                build_error(policy->builder));
}

/* {bob: 100/h}, and no misspelt key. */
static bool is_inline_map(const struct node *node)
{
    static const char *const names[] = {"file", "dynamic"};
    for (size_t i = 0; i < node->count; i++)
        if (nearest_word(node->keys[i]->text, names, 2) != NULL)
            return false;
    return node->count > 0;
}

static void read_list_map(struct policy_reader *policy, const struct node *key,
                          const struct node *node)
{
    struct reader *reader = policy->reader;
    size_t errors = reader->diags->errors;
    if (is_inline_map(node)) {
        diags_error(
            reader->diags, node->mark,
            "a list is [entries], {file: PATH} or {dynamic: true}; "
            "what an entry maps to stands behind it, as in [bob 100/h]");
        return;
    }
    schema_check_keys(reader, &list_schema, node);
    if (reader->diags->errors != errors)
        return;
    const struct node *file = node_get(node, "file");
    const struct node *dynamic = node_get(node, "dynamic");
    bool is_dynamic = false;
    if ((file == NULL) == (dynamic == NULL)) {
        diags_error(reader->diags, node->mark,
                    "a list is [entries], {file: PATH} or {dynamic: true}");
        return;
    }
    if (file != NULL) {
        read_list_file(policy, key, file);
        return;
    }
    if (!node_flag(reader, dynamic, "dynamic", &is_dynamic))
        return;
    if (!is_dynamic)
        diags_error(reader->diags, dynamic->mark,
                    "dynamic: false is a list without entries: name them, or "
                    "say dynamic: true");
    else if (build_list_dynamic(policy->builder, key->text,
                                keep_origin(policy, key->mark)) != 0)
        refuse(policy, key);
}

static void read_list(struct policy_reader *policy, const struct node *key,
                      const struct node *node)
{
    struct str *values = NULL;
    size_t count = 0;
    if (node->kind == NODE_MAP && !node_is_bare_template(node)) {
        read_list_map(policy, key, node);
        return;
    }
    if (!read_values(policy, node, "a list", &values, &count) ||
        build_list(policy->builder, key->text, values, count,
                   keep_origin(policy, key->mark)) == 0)
        return;
    refuse_item(policy, node);
}

static void read_lists(struct policy_reader *policy, const struct node *node)
{
    if (!node_is_map(policy->reader, node, "lists"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        size_t errors = policy->reader->diags->errors;
        read_list(policy, node->keys[i], node->values[i]);
        /* So that rules which name it are not said to be wrong as well. */
        if (policy->reader->diags->errors != errors)
            (void)build_list_dynamic(policy->builder, node->keys[i]->text,
                                     NULL);
    }
}

/* --- policy --- */

static void refuse_stage(struct reader *reader, const struct node *key)
{
    const char *names[STAGE_COUNT];
    for (size_t i = 0; i < STAGE_COUNT; i++)
        names[i] = stage_name((enum stage)i);
    const char *nearest = nearest_word(key->text, names, STAGE_COUNT);
    diags_error(reader->diags, key->mark,
                "policy has no stage %.*s%s%s%s: stages are connect, helo, "
                "auth, mail, rcpt, data, header, message and reply",
                PROBLEM_STR(key->text),
                nearest == NULL ? "" : " (did you mean ",
                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?)");
}

static void read_stages(struct policy_reader *policy, const struct node *node)
{
    if (!node_is_map(policy->reader, node, "policy"))
        return;
    for (size_t i = 0; i < node->count; i++) {
        enum stage stage;
        const struct node *rules = node->values[i];
        if (stage_from_name(node->keys[i]->text, &stage) != 0) {
            refuse_stage(policy->reader, node->keys[i]);
            continue;
        }
        if (!node_is_sequence(policy->reader, rules, "a stage"))
            continue;
        for (size_t j = 0; j < rules->count; j++)
            read_rule(policy, stage, rules->values[j]);
    }
}

static void on_warning(void *owner, const void *origin, const char *text)
{
    struct policy_reader *policy = owner;
    const struct mark *mark = origin;
    if (mark != NULL)
        diags_warn(policy->reader->diags, *mark, "%s", text);
}

struct ruleset *read_policy(struct reader *reader, struct node *const *roots,
                            size_t count)
{
    struct policy_reader policy = {reader, ruleset_builder_new()};
    if (policy.builder == NULL) {
        reader_full(reader, roots[0]->mark);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct node *lists = node_get(roots[i], "lists");
        if (lists != NULL)
            read_lists(&policy, lists);
    }
    for (size_t i = 0; i < count; i++) {
        const struct node *stages = node_get(roots[i], "policy");
        if (stages != NULL)
            read_stages(&policy, stages);
    }
    if (reader->diags->errors == 0)
        build_warnings(policy.builder, on_warning, &policy);
    size_t errors = reader->diags->errors;
    struct ruleset *rules = ruleset_builder_finish(policy.builder);
    if (rules == NULL && errors == 0)
        reader_full(reader, roots[0]->mark);
    return rules;
}
