/* Which processes there are, and which of them come from which. */
#ifndef BENCH_LOAD_PROCESS_TREE_H
#define BENCH_LOAD_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t id, parent;
    double reaped_s; /* processor time of children that have ended */
    bool is_wanted;
};

struct process_tree {
    struct process *processes;
    size_t count, room;
};

/* All there are at this moment. */
void process_tree_read(struct process_tree *tree);
/* Wants a process and all that it, and they, have started. False: there is
 * none of that id. */
bool process_tree_want(struct process_tree *tree, pid_t id);
void process_tree_release(struct process_tree *tree);

#endif
