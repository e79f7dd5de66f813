/* The files of one configuration: the one that was named and those that it
 * includes, each as a tree, and the top level that they make together. */
#ifndef CONFIG_SOURCES_H
#define CONFIG_SOURCES_H

#include "config/node.h"

struct sources {
    struct reader *reader;
    struct node **roots; /* the named file's first */
    const char **paths;
    size_t count, root_capacity, path_capacity;
    bool is_broken; /* a file gave no tree: what it holds is not known */
};

/* Parses the octets of the file that was named, then reads its includes. */
void sources_read(struct sources *sources, const char *path, struct str octets);
/* All top-level keys in one map; but for policy, lists and tests, which add
 * up, a key that stands in two files is an error. NULL when out of room. */
struct node *sources_merge(struct sources *sources);

#endif
