/* What a tool cannot go on without: it says so and ends, with status 2.
 * Nothing is put in order before, for what these programs hold ends with
 * them. */
#ifndef BENCH_LOAD_FATAL_H
#define BENCH_LOAD_FATAL_H

#include <stddef.h>

_Noreturn void fatal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Cleared memory, never NULL. */
void *allocate(size_t count, size_t size);
/* Never NULL; what is behind the old size is not cleared. */
void *reallocate(void *memory, size_t count, size_t size);

#endif
