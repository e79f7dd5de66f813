/* The last differences of a candidate policy. */
#include "proxy/metrics/metrics_internal.h"

#include <string.h>

static void lock_shadow(struct metrics_shadow *shadow)
{
    if (robust_lock_take(&shadow->lock, LOCK_TO_CHANGE))
        return;
    memset(shadow->notes, 0, sizeof shadow->notes);
    shadow->count = 0;
    robust_lock_mended(&shadow->lock);
}

void metrics_note_shadow(struct metrics_lane *lane,
                         const struct shadow_note *note)
{
    if (lane == NULL)
        return;
    struct metrics_shadow *shadow = &lane->metrics->at->shadow;
    lock_shadow(shadow);
    shadow->notes[shadow->count++ % SHADOW_NOTES] = *note;
    robust_lock_release(&shadow->lock);
}

size_t metrics_shadow_notes(struct metrics *metrics,
                            struct shadow_note out[SHADOW_NOTES])
{
    struct metrics_shadow *shadow = &metrics->at->shadow;
    lock_shadow(shadow);
    size_t count =
        shadow->count < SHADOW_NOTES ? (size_t)shadow->count : SHADOW_NOTES;
    for (size_t i = 0; i < count; i++)
        out[i] = shadow->notes[(shadow->count - 1 - i) % SHADOW_NOTES];
    robust_lock_release(&shadow->lock);
    return count;
}
