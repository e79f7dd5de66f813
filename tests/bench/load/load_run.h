/* The run itself: opens the sessions, deals out what moves, and ends when the
 * work is done, the time is up or a signal comes. */
#ifndef BENCH_LOAD_LOAD_RUN_H
#define BENCH_LOAD_LOAD_RUN_H

#include "tests/bench/load/load.h"

void load_run(struct load *load);

#endif
