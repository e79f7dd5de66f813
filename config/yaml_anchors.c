#include "config/yaml_anchors.h"

struct yaml_anchor *yaml_anchors_open(struct yaml_anchors *anchors,
                                      struct arena *arena, struct str name,
                                      struct node *node)
{
    struct yaml_anchor *grown =
        arena_grow(arena, anchors->items, anchors->count, &anchors->capacity,
                   sizeof *grown);
    struct str copy = arena_str(arena, name);
    if (grown == NULL || copy.p == NULL)
        return NULL;
    anchors->items = grown;
    struct yaml_anchor *anchor = &grown[anchors->count++];
    *anchor = (struct yaml_anchor){.name = copy, .node = node, .is_open = true};
    return anchor;
}

const struct yaml_anchor *yaml_anchors_find(const struct yaml_anchors *anchors,
                                            struct str name)
{
    for (size_t i = anchors->count; i > 0; i--)
        if (str_equals(anchors->items[i - 1].name, name))
            return &anchors->items[i - 1];
    return NULL;
}
