/* One file of YAML as a tree, and typed access to it. Every scalar is text;
 * the key under which it stands gives it a type, so that `off`, `no`, `22:30`
 * and `08` mean nothing special. A failing access leaves one diagnostic at
 * the node's mark and returns false. Nodes live in the arena that
 * yaml_tree_parse() was given; an alias is the node that it names. */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "config/reader.h"
#include "rules/cidr.h"

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAP };

struct node {
    enum node_kind kind;
    bool is_plain;       /* a scalar without quotes */
    bool has_comment;    /* a plain scalar with ` #` behind it on its line */
    bool is_environment; /* its text came from ${ENV} */
    bool is_refused;     /* what is wrong with it has been told */
    unsigned height;     /* of the tree below it */
    struct mark mark;
    struct str text;      /* of a scalar */
    struct node **keys;   /* of a map: scalars */
    struct node **values; /* of a map or a sequence */
    size_t count;
};

/* `key:` with nothing behind it. */
bool node_is_null(const struct node *node);
/* `{auth.user}` without quotes: a map with a null value. */
bool node_is_bare_template(const struct node *node);
/* The value of a map's key, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* `name` is the key's, for the message. Results borrow from the tree. */
bool node_is_map(struct reader *reader, const struct node *node,
                 const char *name);
bool node_is_sequence(struct reader *reader, const struct node *node,
                      const char *name);
/* One value: not a list, not a map, not null. */
bool node_scalar(struct reader *reader, const struct node *node,
                 const char *name, struct str *out);
/* A scalar that is not empty and has no control characters. */
bool node_text(struct reader *reader, const struct node *node, const char *name,
               struct str *out);
/* A text that people read, or with {facts}: besides, nothing of it may have
 * been lost to YAML, as behind ` #`. */
bool node_template(struct reader *reader, const struct node *node,
                   const char *name, struct str *out);
bool node_number(struct reader *reader, const struct node *node,
                 const char *name, uint64_t *out);
/* Octets: 10K, 25M, 1G, powers of 1024. */
bool node_size(struct reader *reader, const struct node *node, const char *name,
               uint64_t *out);
/* Milliseconds: 500ms, 30s, 5m, 1h, 1d. */
bool node_time(struct reader *reader, const struct node *node, const char *name,
               uint64_t *out);
/* Millionths: 1%, 0.25%. */
bool node_percent(struct reader *reader, const struct node *node,
                  const char *name, uint64_t *out);
/* true or false. */
bool node_flag(struct reader *reader, const struct node *node, const char *name,
               bool *out);
bool node_cidr(struct reader *reader, const struct node *node, const char *name,
               struct cidr *out);

/* How many values: one for a scalar, which stands for a list of itself. */
size_t node_list_count(const struct node *node);
const struct node *node_list_item(const struct node *node, size_t i);

#endif
