/* The anchors of one file: what `*name` may stand for. A name may be given
 * again; the last one counts. */
#ifndef CONFIG_YAML_ANCHORS_H
#define CONFIG_YAML_ANCHORS_H

#include "config/node.h"

struct yaml_anchor {
    struct str name;
    struct node *node;
    size_t weight; /* nodes, with what aliases in it expand to */
    bool is_open;  /* its node is still being read */
};

struct yaml_anchors {
    struct yaml_anchor *items;
    size_t count, capacity;
};

/* A new one, open; NULL when the arena is full. */
struct yaml_anchor *yaml_anchors_open(struct yaml_anchors *anchors,
                                      struct arena *arena, struct str name,
                                      struct node *node);
/* NULL when there is none. */
const struct yaml_anchor *yaml_anchors_find(const struct yaml_anchors *anchors,
                                            struct str name);

#endif
