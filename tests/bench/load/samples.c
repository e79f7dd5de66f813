#include "tests/bench/load/samples.h"

#include <stdlib.h>

#include "tests/bench/load/fatal.h"

#define ROOM_FIRST 4096

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? ROOM_FIRST : 2 * samples->room;
        samples->values =
            reallocate(samples->values, samples->room, sizeof *samples->values);
    }
    samples->values[samples->count++] = value;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void samples_sort(struct samples *samples)
{
    if (samples->count > 0)
        qsort(samples->values, samples->count, sizeof *samples->values,
              compare);
}

double samples_at(const struct samples *samples, double part)
{
    if (samples->count == 0)
        return 0;
    return samples->values[(size_t)(part * (double)(samples->count - 1) + 0.5)];
}

void samples_release(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples){.values = NULL};
}
