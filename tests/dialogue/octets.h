/* Octets that grow at the end and are taken from the front. The runner's own
 * memory: never refused, never counted. */
#ifndef TESTS_DIALOGUE_OCTETS_H
#define TESTS_DIALOGUE_OCTETS_H

#include "rules/base/str.h"

struct octets {
    char *block; /* owned */
    size_t start, end, capacity;
};

void octets_release(struct octets *octets);
void octets_append(struct octets *octets, struct str more);
struct str octets_view(const struct octets *octets);
size_t octets_length(const struct octets *octets);
void octets_drop(struct octets *octets, size_t count);

#endif
