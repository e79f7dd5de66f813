/* What processes use. */
#ifndef BENCH_LOAD_PROCESS_USE_H
#define BENCH_LOAD_PROCESS_USE_H

#include <stdint.h>

#include "tests/bench/load/process_tree.h"

struct process_use {
    double processor_s; /* user and system */
    uint64_t rss_kb, pss_kb, private_kb;
    uint64_t processes, files;
};

/* Adds what that process uses; one that has ended meanwhile uses nothing. */
void process_use_add(struct process_use *use, const struct process *process);

#endif
