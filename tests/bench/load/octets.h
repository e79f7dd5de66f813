/* Octets that are put in at the end and taken off at the front. The memory is
 * grown as needed, up to a bound that no tool should come to, and given back
 * by octets_release() alone. {0} is empty. */
#ifndef BENCH_LOAD_OCTETS_H
#define BENCH_LOAD_OCTETS_H

#include <stdbool.h>
#include <stddef.h>

struct octets {
    char *memory;
    size_t from, to, room; /* there are those from `from` to `to` */
};

void octets_add(struct octets *octets, const void *data, size_t size);
void octets_add_text(struct octets *octets, const char *text);
void octets_print(struct octets *octets, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes the first `size` off. */
void octets_drop(struct octets *octets, size_t size);
void octets_release(struct octets *octets);

static inline const char *octets_at(const struct octets *octets)
{
    return octets->memory + octets->from;
}

static inline size_t octets_size(const struct octets *octets)
{
    return octets->to - octets->from;
}

#endif
