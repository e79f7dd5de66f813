/* Lines on their way to a writer: bounded by octets, first in, first out.
 * Not thread-safe: the decision log holds its lock around each call. */
#ifndef PROXY_LOG_LINE_QUEUE_H
#define PROXY_LOG_LINE_QUEUE_H

#include "rules/base/str.h"

struct queued_line {
    struct queued_line *next;
    size_t length;
    char text[];
};

struct line_queue {
    struct queued_line *first;
    struct queued_line **last;
    size_t octets; /* of all lines, their heads included */
    size_t cap;
};

void line_queue_init(struct line_queue *queue, size_t cap);
void line_queue_release(struct line_queue *queue);
/* Copies the line and ends it with one LF. 0, or -1: full, or no memory. */
int line_queue_push(struct line_queue *queue, struct str line);
/* The oldest, which the caller frees; NULL when empty. */
struct queued_line *line_queue_take(struct line_queue *queue);

#endif
