#include "proxy/tls/octet_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void octet_queue_share(struct octet_queue *queue, struct spare_blocks *spare)
{
    queue->spare = spare;
}

void octet_queue_init(struct octet_queue *queue, size_t max)
{
    *queue =
        (struct octet_queue){.max = max, .wipes = true, .is_to_wipe = true};
}

void octet_queue_expect_secrets(struct octet_queue *queue, bool are_expected)
{
    queue->wipes = are_expected;
    queue->is_to_wipe =
        are_expected || (queue->octets != NULL && queue->is_to_wipe);
}

static void free_octets(struct octet_queue *queue)
{
    if (queue->octets != NULL && queue->is_to_wipe)
        explicit_bzero(queue->octets, queue->capacity);
    spare_blocks_give(queue->spare, queue->octets, queue->capacity);
    queue->octets = NULL;
    queue->is_to_wipe = queue->wipes;
    queue->start = 0;
    queue->capacity = 0;
}

void octet_queue_release(struct octet_queue *queue)
{
    free_octets(queue);
    queue->size = 0;
}

size_t octet_queue_room(const struct octet_queue *queue)
{
    return queue->max - queue->size;
}

struct str octet_queue_view(const struct octet_queue *queue)
{
    if (queue->size == 0)
        return STR("");
    return str_span(queue->octets + queue->start, queue->size);
}

static size_t grown_capacity(const struct octet_queue *queue, size_t needed)
{
    size_t capacity =
        queue->capacity == 0 ? OCTET_QUEUE_SMALLEST : queue->capacity;
    while (capacity < needed)
        capacity *= 2;
    return capacity < queue->max ? capacity : queue->max;
}

/* Copies by hand, since realloc() would leave the old octets unwiped. */
static int grow(struct octet_queue *queue, size_t needed)
{
    size_t capacity = grown_capacity(queue, needed);
    char *octets = spare_blocks_take(queue->spare, capacity);
    if (octets == NULL)
        return -1;
    bool is_to_wipe = queue->is_to_wipe;
    if (queue->size > 0)
        memcpy(octets, queue->octets + queue->start, queue->size);
    free_octets(queue);
    queue->octets = octets;
    queue->capacity = capacity;
    queue->is_to_wipe = is_to_wipe;
    return 0;
}

char *octet_queue_reserve(struct octet_queue *queue, size_t octets)
{
    if (octets > octet_queue_room(queue))
        return NULL;
    size_t needed = queue->size + octets;
    if (queue->start + needed > queue->capacity) {
        if (needed > queue->capacity) {
            if (grow(queue, needed) != 0)
                return NULL;
        } else {
            memmove(queue->octets, queue->octets + queue->start, queue->size);
            queue->start = 0;
        }
    }
    return queue->octets + queue->start + queue->size;
}

void octet_queue_commit(struct octet_queue *queue, size_t octets)
{
    assert(queue->start + queue->size + octets <= queue->capacity);
    queue->size += octets;
    if (queue->size == 0)
        free_octets(queue);
}

int octet_queue_add(struct octet_queue *queue, struct str octets)
{
    if (octets.n == 0)
        return 0;
    char *to = octet_queue_reserve(queue, octets.n);
    if (to == NULL)
        return -1;
    memcpy(to, octets.p, octets.n);
    octet_queue_commit(queue, octets.n);
    return 0;
}

void octet_queue_drop(struct octet_queue *queue, size_t octets)
{
    assert(octets <= queue->size);
    queue->start += octets;
    queue->size -= octets;
    if (queue->size == 0)
        free_octets(queue);
}

void octet_queue_wipe(struct octet_queue *queue, size_t octets)
{
    assert(octets <= queue->size);
    if (octets > 0)
        explicit_bzero(queue->octets + queue->start, octets);
    octet_queue_drop(queue, octets);
}
