#include "proxy/log/line_queue.h"

#include <stdlib.h>
#include <string.h>

void line_queue_init(struct line_queue *queue, size_t cap)
{
    *queue = (struct line_queue){.cap = cap};
    queue->last = &queue->first;
}

void line_queue_release(struct line_queue *queue)
{
    struct queued_line *line;
    while ((line = line_queue_take(queue)) != NULL)
        free(line);
}

static size_t cost_of(size_t length)
{
    return sizeof(struct queued_line) + length;
}

int line_queue_push(struct line_queue *queue, struct str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\n')
        line.n--;
    size_t left = queue->cap - queue->octets;
    if (line.n >= left || cost_of(line.n + 1) > left)
        return -1;
    struct queued_line *copy = malloc(cost_of(line.n + 1));
    if (copy == NULL)
        return -1;
    copy->next = NULL;
    copy->length = line.n + 1;
    if (line.n > 0)
        memcpy(copy->text, line.p, line.n);
    copy->text[line.n] = '\n';
    *queue->last = copy;
    queue->last = &copy->next;
    queue->octets += cost_of(copy->length);
    return 0;
}

struct queued_line *line_queue_take(struct line_queue *queue)
{
    struct queued_line *line = queue->first;
    if (line == NULL)
        return NULL;
    queue->first = line->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    queue->octets -= cost_of(line->length);
    return line;
}
