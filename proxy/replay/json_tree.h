/* One JSON text as a tree in an arena: what a replay reads millions of. Read
 * by jsmn, which takes RFC 8259 and forgives a comma too many; octets outside
 * ASCII are taken as they are. */
#ifndef PROXY_REPLAY_JSON_TREE_H
#define PROXY_REPLAY_JSON_TREE_H

#include "rules/base/arena.h"

#define JSON_TREE_DEPTH_MAX 16

enum json_kind {
    JSON_NODE_NULL,
    JSON_NODE_FALSE,
    JSON_NODE_TRUE,
    JSON_NODE_NUMBER,
    JSON_NODE_TEXT,
    JSON_NODE_ARRAY,
    JSON_NODE_OBJECT
};

struct json_node {
    enum json_kind kind;
    struct str key;  /* within an object */
    struct str text; /* of a text; of a number as written */
    const struct json_node *first, *next;
    size_t count; /* of an array or an object */
};

/* NULL: it is none, or memory is out. Borrows nothing from `text`. */
const struct json_node *json_tree_read(struct arena *arena, struct str text);
/* NULL: it has no such key, or is no object; NULL has none. */
const struct json_node *json_node_get(const struct json_node *node,
                                      const char *key);

#endif
