#include "proxy/log/line_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)16 * 1024)
#define KEPT_CAPACITY ((size_t)256 * 1024)

void line_queue_init(struct line_queue *queue, size_t cap)
{
    *queue = (struct line_queue){.cap = cap};
}

void line_queue_release(struct line_queue *queue)
{
    free(queue->octets);
    *queue = (struct line_queue){.cap = queue->cap};
}

static int make_room(struct line_queue *queue, size_t octets)
{
    size_t needed = queue->used + octets;
    if (needed <= queue->capacity)
        return 0;
    size_t capacity = queue->capacity == 0 ? FIRST_CAPACITY : queue->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *moved = realloc(queue->octets, capacity);
    if (moved == NULL)
        return -1;
    queue->octets = moved;
    queue->capacity = capacity;
    return 0;
}

static struct str without_end(struct str line)
{
    return line.n > 0 && line.p[line.n - 1] == '\n' ? str_head(line, line.n - 1)
                                                    : line;
}

int line_queue_push(struct line_queue *queue, struct str line)
{
    if (queue->used > queue->cap ||
        without_end(line).n >= queue->cap - queue->used)
        return -1;
    return line_queue_push_over(queue, line);
}

int line_queue_push_over(struct line_queue *queue, struct str line)
{
    line = without_end(line);
    if (make_room(queue, line.n + 1) != 0)
        return -1;
    if (line.n > 0)
        memcpy(queue->octets + queue->used, line.p, line.n);
    queue->used += line.n;
    queue->octets[queue->used++] = '\n';
    return 0;
}

struct str line_queue_lines(const struct line_queue *queue)
{
    return (struct str){queue->octets, queue->used};
}

void line_queue_move(struct line_queue *queue, struct line_queue *to)
{
    assert(to->used == 0);
    struct line_queue taken = *queue;
    *queue = *to;
    *to = taken;
}

void line_queue_clear(struct line_queue *queue)
{
    queue->used = 0;
    if (queue->capacity > KEPT_CAPACITY)
        line_queue_release(queue);
}
