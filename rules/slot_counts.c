#include "rules/slot_counts.h"

#include <stddef.h>

void slot_counts_add(struct slot_counts *counts, unsigned slot, uint64_t amount)
{
    uint32_t *count = &counts->of[slot];
    *count =
        amount > UINT32_MAX - *count ? UINT32_MAX : *count + (uint32_t)amount;
}

void slot_counts_lower(struct slot_counts *counts, unsigned slot,
                       uint64_t amount)
{
    uint32_t *count = &counts->of[slot];
    *count = amount >= *count ? 0 : *count - (uint32_t)amount;
}

uint32_t slot_counts_take(struct slot_counts *counts, unsigned slot)
{
    uint32_t count = counts->of[slot];
    counts->of[slot] = 0;
    return count;
}

unsigned slot_counts_other(const struct slot_counts *counts, unsigned slot)
{
    unsigned other = 0;
    while (other < SLOTS && (other == slot || counts->of[other] == 0))
        other++;
    return other;
}

uint64_t slot_counts_sum(const struct slot_counts *counts)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SLOTS; i++)
        sum += counts->of[i];
    return sum;
}
