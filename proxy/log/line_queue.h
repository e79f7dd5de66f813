/* Lines on their way to a writer, one behind the other in one piece of
 * memory, so that many of them go with one write: bounded by octets, first
 * in, first out. Not thread-safe: the decision log holds its lock around each
 * call. */
#ifndef PROXY_LOG_LINE_QUEUE_H
#define PROXY_LOG_LINE_QUEUE_H

#include "rules/base/str.h"

struct line_queue {
    char *octets; /* owned; NULL: none since the last that was large */
    size_t used, capacity;
    size_t cap;
};

void line_queue_init(struct line_queue *queue, size_t cap);
void line_queue_release(struct line_queue *queue);
/* Copies the line and ends it with one LF. 0, or -1: full, or no memory. */
int line_queue_push(struct line_queue *queue, struct str line);
/* The same beyond the cap: how many such lines there can be is bounded by who
 * calls. */
int line_queue_push_over(struct line_queue *queue, struct str line);
/* All lines; valid until the next push. */
struct str line_queue_lines(const struct line_queue *queue);
/* Moves all lines from `queue` to `to`, which must be empty and gives its
 * memory for those to come. */
void line_queue_move(struct line_queue *queue, struct line_queue *to);
/* Forgets the lines; memory that only a burst needed is given back. */
void line_queue_clear(struct line_queue *queue);

#endif
