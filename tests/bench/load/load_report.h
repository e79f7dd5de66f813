/* What a run tells at its end. */
#ifndef BENCH_LOAD_LOAD_REPORT_H
#define BENCH_LOAD_LOAD_REPORT_H

#include "tests/bench/load/load.h"

/* To the standard output, complaints to the standard error. */
void load_report_print(struct load *load);
/* Whether all went as it was asked. */
bool load_report_is_good(const struct load *load);

#endif
