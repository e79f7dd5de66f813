#include "tests/dialogue/octets.h"

#include <assert.h>
#include <string.h>

#include "tests/dialogue/alloc_fault.h"

void octets_release(struct octets *octets)
{
    plain_free(octets->block);
    *octets = (struct octets){0};
}

void octets_append(struct octets *octets, struct str more)
{
    if (!more.n)
        return;
    if (octets->start && octets->end + more.n > octets->capacity) {
        memmove(octets->block, octets->block + octets->start,
                octets->end - octets->start);
        octets->end -= octets->start;
        octets->start = 0;
    }
    if (octets->end + more.n > octets->capacity) {
        octets->capacity = (octets->end + more.n) * 2;
        octets->block = plain_grow(octets->block, octets->capacity);
    }
    memcpy(octets->block + octets->end, more.p, more.n);
    octets->end += more.n;
}

struct str octets_view(const struct octets *octets)
{
    if (!octets->block)
        return STR("");
    return str_span(octets->block + octets->start, octets->end - octets->start);
}

size_t octets_length(const struct octets *octets)
{
    return octets->end - octets->start;
}

void octets_drop(struct octets *octets, size_t count)
{
    assert(count <= octets_length(octets));
    octets->start += count;
    if (octets->start == octets->end)
        octets->start = octets->end = 0;
}
