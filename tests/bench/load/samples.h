/* What was measured many times, to be asked which part of it was below what.
 * {0} is empty. */
#ifndef BENCH_LOAD_SAMPLES_H
#define BENCH_LOAD_SAMPLES_H

#include <stddef.h>

struct samples {
    double *values;
    size_t count, room;
};

void samples_add(struct samples *samples, double value);
/* Before samples_at(), and after the last samples_add(). */
void samples_sort(struct samples *samples);
/* The value at that part, from 0 to 1, of the sorted ones; 0 of none. */
double samples_at(const struct samples *samples, double part);
void samples_release(struct samples *samples);

#endif
