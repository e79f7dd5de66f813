/* The nearest known word: "did you mean". Pure. */
#ifndef RULES_NEAREST_H
#define RULES_NEAREST_H

#include "rules/base/str.h"

/* How many octets must be put in, taken out, changed or swapped with their
 * neighbour; more than `most` gives most + 1. Words up to 64 octets. */
size_t nearest_distance(struct str a, struct str b, size_t most);

/* The closest of `words` that is close enough to be meant, or NULL. */
const char *nearest_word(struct str text, const char *const *words,
                         size_t count);

#endif
