/* A number as it is written in decimal. */
#ifndef BENCH_LOAD_NUMBER_H
#define BENCH_LOAD_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the text begins with one; *end, where given, is behind it, and
 * without `end` nothing may be there. */
bool number_read(const char *text, uint64_t *number, const char **end);

#endif
