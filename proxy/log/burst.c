#include "proxy/log/burst.h"

#include <string.h>

void burst_init(struct burst *burst)
{
    for (size_t i = 0; i < BURST_SLOTS; i++)
        burst->slots[i].seen = 0;
}

static bool is_over(const struct burst_slot *slot, uint64_t now_ms)
{
    return now_ms < slot->started_ms || now_ms - slot->started_ms >= BURST_MS;
}

static struct str text_of(const struct burst_slot *slot)
{
    return str_span(slot->text, slot->length);
}

static bool holds(const struct burst_slot *slot, int level, struct str text)
{
    return slot->seen > 0 && slot->level == level &&
           str_equals(text_of(slot), text);
}

static struct burst_sum sum_of(const struct burst_slot *slot)
{
    return (struct burst_sum){
        .count = slot->seen > BURST_MAX ? slot->seen - BURST_MAX : 0,
        .level = slot->level,
        .text = text_of(slot),
    };
}

bool burst_next_sum(struct burst *burst, uint64_t now_ms, bool is_all,
                    struct burst_sum *sum)
{
    for (size_t i = 0; i < BURST_SLOTS; i++) {
        struct burst_slot *slot = &burst->slots[i];
        if (slot->seen == 0 || (!is_all && !is_over(slot, now_ms)))
            continue;
        *sum = sum_of(slot);
        slot->seen = 0;
        if (sum->count > 0)
            return true;
    }
    return false;
}

/* The slot of this message, else a free one, else the oldest. */
static struct burst_slot *find_slot(struct burst *burst, int level,
                                    struct str text)
{
    struct burst_slot *best = &burst->slots[0];
    for (size_t i = 0; i < BURST_SLOTS; i++) {
        struct burst_slot *slot = &burst->slots[i];
        if (holds(slot, level, text))
            return slot;
        if (best->seen > 0 &&
            (slot->seen == 0 || slot->started_ms < best->started_ms))
            best = slot;
    }
    return best;
}

static struct burst_sum evict(struct burst *burst, struct burst_slot *slot)
{
    struct burst_sum sum = sum_of(slot);
    memcpy(burst->evicted, slot->text, slot->length);
    sum.text = str_span(burst->evicted, slot->length);
    return sum;
}

bool burst_pass(struct burst *burst, uint64_t now_ms, int level,
                struct str text, struct burst_sum *evicted)
{
    text = str_head(text, BURST_TEXT_MAX);
    *evicted = (struct burst_sum){.count = 0};
    struct burst_slot *slot = find_slot(burst, level, text);
    if (holds(slot, level, text) && !is_over(slot, now_ms)) {
        slot->seen++;
        return slot->seen <= BURST_MAX;
    }
    if (slot->seen > 0)
        *evicted = evict(burst, slot);
    slot->started_ms = now_ms;
    slot->seen = 1;
    slot->level = level;
    slot->length = text.n;
    if (text.n > 0)
        memcpy(slot->text, text.p, text.n);
    return true;
}
