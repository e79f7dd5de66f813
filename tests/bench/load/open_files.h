/* How many files the process may have open at a time. */
#ifndef BENCH_LOAD_OPEN_FILES_H
#define BENCH_LOAD_OPEN_FILES_H

#include <stdint.h>

/* Raises the limit as far as it goes; ends the program where that is less
 * than `needed`. */
void open_files_allow(uint64_t needed);

#endif
