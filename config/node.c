#include "config/node.h"

#include "rules/problem.h"
#include "rules/quantity.h"

#include <string.h>

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->is_plain && node->text.n == 0;
}

const struct node *node_get(const struct node *map, const char *key)
{
    for (size_t i = 0; map->kind == NODE_MAP && i < map->count; i++)
        if (str_equals(map->keys[i]->text, str_from(key)))
            return map->values[i];
    return NULL;
}

bool node_is_map(struct reader *reader, const struct node *node,
                 const char *name)
{
    if (node->kind == NODE_MAP)
        return true;
    if (node_is_null(node)) {
        diags_error(reader->diags, node->mark,
                    "%s has nothing behind it: it takes a map (key: value)",
                    name);
        return false;
    }
    diags_error(reader->diags, node->mark,
                "%s takes a map (key: value), not %s", name,
                node->kind == NODE_SCALAR ? "one value" : "a list");
    return false;
}

bool node_is_sequence(struct reader *reader, const struct node *node,
                      const char *name)
{
    if (node->kind == NODE_SEQUENCE)
        return true;
    if (node_is_null(node)) {
        diags_error(reader->diags, node->mark,
                    "%s has nothing behind it: it takes a list ([...] or - "
                    "...)",
                    name);
        return false;
    }
    diags_error(reader->diags, node->mark,
                "%s takes a list ([...] or - ...), not %s", name,
                node->kind == NODE_SCALAR ? "one value" : "a map");
    return false;
}

bool node_is_bare_template(const struct node *node)
{
    return node->kind == NODE_MAP && node->count == 1 &&
           node_is_null(node->values[0]);
}

bool node_scalar(struct reader *reader, const struct node *node,
                 const char *name, struct str *out)
{
    if (node_is_bare_template(node)) {
        struct str key = node->keys[0]->text;
        diags_error(reader->diags, node->mark,
                    "{%.*s} without quotes is a map in YAML: put it in quotes",
                    PROBLEM_STR(key));
        return false;
    }
    if (node->is_refused)
        return false;
    if (node->kind != NODE_SCALAR) {
        diags_error(reader->diags, node->mark, "%s takes one value, not %s",
                    name, node->kind == NODE_MAP ? "a map" : "a list");
        return false;
    }
    if (node_is_null(node)) {
        diags_error(reader->diags, node->mark, "%s has no value", name);
        return false;
    }
    *out = node->text;
    return true;
}

bool node_text(struct reader *reader, const struct node *node, const char *name,
               struct str *out)
{
    if (!node_scalar(reader, node, name, out))
        return false;
    if (out->n == 0) {
        diags_error(reader->diags, node->mark, "%s is empty", name);
        return false;
    }
    for (size_t i = 0; i < out->n; i++) {
        unsigned char octet = (unsigned char)out->p[i];
        if (octet >= 0x20 && octet != 0x7f)
            continue;
        diags_error(reader->diags, node->mark,
                    "%s holds a line break or another control character", name);
        return false;
    }
    return true;
}

bool node_template(struct reader *reader, const struct node *node,
                   const char *name, struct str *out)
{
    if (!node_scalar(reader, node, name, out))
        return false;
    if (!node->has_comment)
        return true;
    diags_error(reader->diags, node->mark,
                "the text ends before ` #`, where YAML begins a comment: quote "
                "the text");
    return false;
}

/* All that is wrong with a typed value is said in one way. */
static bool wrong(struct reader *reader, const struct node *node,
                  const char *name, const char *wanted)
{
    diags_error(reader->diags, node->mark, "%s takes %s, not \"%.*s\"", name,
                wanted, PROBLEM_STR(node->text));
    return false;
}

bool node_number(struct reader *reader, const struct node *node,
                 const char *name, uint64_t *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    return str_to_u64(text, out) == 0 || wrong(reader, node, name, "a number");
}

bool node_size(struct reader *reader, const struct node *node, const char *name,
               uint64_t *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    return quantity_size(text, out) == 0 ||
           wrong(reader, node, name, "a size such as 10K, 25M or 1G");
}

bool node_time(struct reader *reader, const struct node *node, const char *name,
               uint64_t *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    /* No time needs no unit. */
    if (str_equals(text, STR("0"))) {
        *out = 0;
        return true;
    }
    return quantity_duration(text, out) == 0 ||
           wrong(reader, node, name, "a time such as 500ms, 30s, 5m, 1h or 1d");
}

bool node_percent(struct reader *reader, const struct node *node,
                  const char *name, uint64_t *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    return quantity_percent(text, out) == 0 ||
           wrong(reader, node, name, "a share such as 1% or 0.25%");
}

bool node_flag(struct reader *reader, const struct node *node, const char *name,
               bool *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    *out = str_equals(text, STR("true"));
    return *out || str_equals(text, STR("false")) ||
           wrong(reader, node, name, "true or false");
}

bool node_cidr(struct reader *reader, const struct node *node, const char *name,
               struct cidr *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    int result = cidr_parse(text, out);
    if (result == -2) {
        diags_error(reader->diags, node->mark,
                    "%s: %.*s has bits set behind its prefix: is one address "
                    "or a smaller network meant?",
                    name, PROBLEM_STR(text));
        return false;
    }
    return result == 0 ||
           wrong(reader, node, name,
                 "networks such as 192.0.2.0/24 or 2001:db8::/32");
}

size_t node_list_count(const struct node *node)
{
    return node->kind == NODE_SEQUENCE ? node->count : 1;
}

const struct node *node_list_item(const struct node *node, size_t i)
{
    return node->kind == NODE_SEQUENCE ? node->values[i] : node;
}
