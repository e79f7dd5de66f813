/* How much of something each of a few processes has taken: each has a slot, a
 * number below SLOTS, so that what a process that died had taken can be given
 * back. Octets of zeros are no counts at all; for memory that is shared. A
 * count too large for its slot stays at its largest: then less is given back
 * than was taken, never more. */
#ifndef RULES_SLOT_COUNTS_H
#define RULES_SLOT_COUNTS_H

#include <stdint.h>

#define SLOTS 8

struct slot_counts {
    uint32_t of[SLOTS];
};

void slot_counts_add(struct slot_counts *counts, unsigned slot,
                     uint64_t amount);
/* Down to nothing. */
void slot_counts_lower(struct slot_counts *counts, unsigned slot,
                       uint64_t amount);
/* What the slot had; from now on it has nothing. */
uint32_t slot_counts_take(struct slot_counts *counts, unsigned slot);
/* The first slot but for this one that has anything; SLOTS: none. */
unsigned slot_counts_other(const struct slot_counts *counts, unsigned slot);
uint64_t slot_counts_sum(const struct slot_counts *counts);

#endif
