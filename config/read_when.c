/* when: a map of facts to matchers, with any, all and not. The depth of the
 * tree of YAML bounds the recursion. */
#include "config/policy_reader.h"

#include "rules/problem.h"

const struct mark *keep_origin(struct policy_reader *policy, struct mark mark)
{
    struct mark *kept = arena_alloc(policy->reader->arena, sizeof *kept);
    if (kept == NULL)
        reader_full(policy->reader, mark);
    else
        *kept = mark;
    return kept;
}

void refuse(struct policy_reader *policy, const struct node *node)
{
    diags_error(policy->reader->diags, node->mark, "%s",
                build_error(policy->builder));
}

void refuse_item(struct policy_reader *policy, const struct node *list)
{
    size_t item = build_error_item(policy->builder);
    refuse(policy,
           item < node_list_count(list) ? node_list_item(list, item) : list);
}

bool read_values(struct policy_reader *policy, const struct node *node,
                 const char *name, struct str **values, size_t *count)
{
    struct reader *reader = policy->reader;
    size_t wanted = node_list_count(node);
    struct str *texts = arena_array(reader->scratch, wanted, sizeof *texts);
    if (texts == NULL) {
        reader_full(reader, node->mark);
        return false;
    }
    bool read = true;
    for (size_t i = 0; i < wanted; i++)
        read = node_scalar(reader, node_list_item(node, i), name, &texts[i]) &&
               read;
    *values = texts;
    *count = wanted;
    return read;
}

static bool is_listener(const struct settings *settings, struct str name)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (str_equals_nocase(settings->listeners[i].name, name))
            return true;
    return false;
}

/* A name that is misspelt would match nothing, in silence. It is no error: a
 * policy may be shared by servers with different listeners. */
static void warn_of_listeners(struct policy_reader *policy,
                              const struct node *node, const struct str *names,
                              size_t count)
{
    const struct settings *settings = policy->reader->settings;
    for (size_t i = 0; i < count; i++) {
        bool is_name = names[i].n > 0;
        for (size_t k = 0; k < names[i].n; k++)
            is_name = is_name && str_index(STR("@/{*."), names[i].p[k]) < 0;
        if (is_name && !is_listener(settings, names[i]))
            diags_warn(policy->reader->diags, node_list_item(node, i)->mark,
                       "there is no listener %.*s, so this never holds",
                       PROBLEM_STR(names[i]));
    }
}

static bool read_test(struct policy_reader *policy, const struct fact_ref *fact,
                      struct str word, const char *name,
                      const struct node *node, struct condition **out)
{
    struct str *values = NULL;
    size_t count = 0;
    if (!read_values(policy, node, name, &values, &count))
        return false;
    if (build_test(policy->builder, fact, word, values, count, out) != 0) {
        refuse_item(policy, node);
        return false;
    }
    if (fact->fact == FACT_LISTENER && !str_equals(word, STR("exists")))
        warn_of_listeners(policy, node, values, count);
    return true;
}

/* Room for a condition a value; NULL after a diagnostic. */
static struct condition **make_room(struct policy_reader *policy,
                                    const struct node *node)
{
    struct condition **parts =
        arena_array(policy->reader->scratch, node->count, sizeof *parts);
    if (parts == NULL)
        reader_full(policy->reader, node->mark);
    return parts;
}

static bool join_all(struct policy_reader *policy, const struct node *node,
                     struct condition **parts, struct condition **out)
{
    if (node->count == 1) {
        *out = parts[0];
        return true;
    }
    if (build_all(policy->builder, parts, node->count, out) == 0)
        return true;
    refuse(policy, node);
    return false;
}

/* {is: ..., not_in: ...}: all of them. */
static bool read_long_form(struct policy_reader *policy,
                           const struct fact_ref *fact, const char *name,
                           const struct node *node, struct condition **out)
{
    struct condition **parts = make_room(policy, node);
    bool read = parts != NULL;
    for (size_t i = 0; parts != NULL && i < node->count; i++)
        read = read_test(policy, fact, node->keys[i]->text, name,
                         node->values[i], &parts[i]) &&
               read;
    return read && join_all(policy, node, parts, out);
}

static bool read_fact(struct policy_reader *policy, const struct node *key,
                      const struct node *value, struct condition **out)
{
    struct fact_ref fact;
    if (build_fact(policy->builder, key->text, &fact) != 0) {
        refuse(policy, key);
        return false;
    }
    struct str name = arena_str(policy->reader->scratch, key->text);
    if (name.p == NULL) {
        reader_full(policy->reader, key->mark);
        return false;
    }
    if (value->kind == NODE_MAP && !node_is_bare_template(value))
        return read_long_form(policy, &fact, name.p, value, out);
    return read_test(policy, &fact, STR(""), name.p, value, out);
}

/* any: [...] and all: [...]. */
static bool read_several(struct policy_reader *policy, const struct node *key,
                         const struct node *value, struct condition **out)
{
    bool is_any = str_equals(key->text, STR("any"));
    if (!node_is_sequence(policy->reader, value, is_any ? "any" : "all"))
        return false;
    struct condition **parts = make_room(policy, value);
    bool read = parts != NULL;
    for (size_t i = 0; parts != NULL && i < value->count; i++)
        read = read_when(policy, value->values[i], &parts[i]) && read;
    if (!read)
        return false;
    int result = is_any ? build_any(policy->builder, parts, value->count, out)
                        : build_all(policy->builder, parts, value->count, out);
    if (result == 0)
        return true;
    refuse(policy, value);
    return false;
}

static bool read_not(struct policy_reader *policy, const struct node *value,
                     struct condition **out)
{
    struct condition *part = NULL;
    if (!read_when(policy, value, &part))
        return false;
    if (build_not(policy->builder, part, out) == 0)
        return true;
    refuse(policy, value);
    return false;
}

static bool read_pair(struct policy_reader *policy, const struct node *key,
                      const struct node *value, struct condition **out)
{
    if (str_equals(key->text, STR("any")) || str_equals(key->text, STR("all")))
        return read_several(policy, key, value, out);
    if (str_equals(key->text, STR("not")))
        return read_not(policy, value, out);
    return read_fact(policy, key, value, out);
}

bool read_when(struct policy_reader *policy, const struct node *node,
               struct condition **out)
{
    if (!node_is_map(policy->reader, node, "when"))
        return false;
    if (node->count == 0) {
        diags_error(policy->reader->diags, node->mark,
                    "when is empty: leave it out if the rule always applies");
        return false;
    }
    struct condition **parts = make_room(policy, node);
    bool read = parts != NULL;
    for (size_t i = 0; parts != NULL && i < node->count; i++)
        read = read_pair(policy, node->keys[i], node->values[i], &parts[i]) &&
               read;
    return read && join_all(policy, node, parts, out);
}
