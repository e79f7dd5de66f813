/* YAML 1.1 by libyaml's events into a tree with marks. One document; UTF-8;
 * no tags, no merge keys, keys are texts and unique within their map. The
 * caps below hold for what aliases expand to, too. libyaml is used here
 * only. */
#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include "config/node.h"

#define YAML_MAX_DEPTH 32
#define YAML_MAX_NODES 1000000
#define YAML_MAX_OCTETS (16 * 1024 * 1024)
#define YAML_MAX_ANCHORS 1000

/* `file` and `octets` are borrowed (marks point to `file`); the tree lies in
 * `arena`. NULL when there is no tree at all: then there was an error. A
 * tree that is returned may have left errors as well. */
struct node *yaml_tree_parse(struct arena *arena, const char *file,
                             struct str octets, struct diags *diags);

#endif
