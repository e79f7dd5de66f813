/* A table with open addresses that is at most half full. */
#include "tests/bench/load/seen_ids.h"

#include <stdlib.h>

#include "tests/bench/load/fatal.h"

#define ROOM_FIRST 65536 /* a power of two, as all of them */

void seen_ids_init(struct seen_ids *seen)
{
    *seen = (struct seen_ids){.slots = NULL};
    pthread_mutex_init(&seen->lock, NULL);
}

void seen_ids_release(struct seen_ids *seen)
{
    free(seen->slots);
    pthread_mutex_destroy(&seen->lock);
}

static bool put(uint64_t *slots, size_t room, uint64_t id)
{
    size_t i = (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 20);
    while (slots[i & (room - 1)] != 0 && slots[i & (room - 1)] != id)
        i++;
    if (slots[i & (room - 1)] == id)
        return false;
    slots[i & (room - 1)] = id;
    return true;
}

static void make_room(struct seen_ids *seen)
{
    size_t room = seen->room == 0 ? ROOM_FIRST : 2 * seen->room;
    uint64_t *slots = allocate(room, sizeof *slots);
    for (size_t i = 0; i < seen->room; i++) {
        if (seen->slots[i] != 0)
            put(slots, room, seen->slots[i]);
    }
    free(seen->slots);
    seen->slots = slots;
    seen->room = room;
}

bool seen_ids_add(struct seen_ids *seen, uint64_t id)
{
    pthread_mutex_lock(&seen->lock);
    if (2 * seen->count >= seen->room)
        make_room(seen);
    bool is_new = put(seen->slots, seen->room, id == 0 ? UINT64_MAX : id);
    seen->count += is_new;
    pthread_mutex_unlock(&seen->lock);
    return is_new;
}
