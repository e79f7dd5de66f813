/* What processes use, together with all that they have started:
 *
 *     smtpproc PID...
 *
 * Status 1: one of them is not there. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/number.h"
#include "tests/bench/load/process_tree.h"
#include "tests/bench/load/process_use.h"

static void print(const struct process_use *use)
{
    printf("cpu_s=%.6f rss_kb=%" PRIu64 " pss_kb=%" PRIu64
           " private_kb=%" PRIu64 " procs=%" PRIu64 " fds=%" PRIu64 "\n",
           use->processor_s, use->rss_kb, use->pss_kb, use->private_kb,
           use->processes, use->files);
}

int main(int argc, char **argv)
{
    struct process_tree tree;
    struct process_use use = {.processes = 0};
    int status = 0;
    if (argc < 2)
        fatal("usage: smtpproc PID...");
    process_tree_read(&tree);
    for (int i = 1; i < argc; i++) {
        uint64_t id;
        if (!number_read(argv[i], &id, NULL) || id > INT_MAX)
            fatal("%s is no process id", argv[i]);
        if (!process_tree_want(&tree, (pid_t)id)) {
            fprintf(stderr, "smtpproc: there is no process %s\n", argv[i]);
            status = 1;
        }
    }
    for (size_t i = 0; i < tree.count; i++) {
        if (tree.processes[i].is_wanted)
            process_use_add(&use, &tree.processes[i]);
    }
    print(&use);
    process_tree_release(&tree);
    return status;
}
