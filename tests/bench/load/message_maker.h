/* The messages that are sent: all of one size, with one of a few bodies that
 * were made before the run, so that making one costs little. */
#ifndef BENCH_LOAD_MESSAGE_MAKER_H
#define BENCH_LOAD_MESSAGE_MAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load/message_sum.h"

#define MESSAGE_BODIES 4
#define MESSAGE_HEAD_ROOM 2048
#define MESSAGE_END_ROOM 32

struct message_maker {
    const char *from, *recipient_domain; /* borrowed */
    bool is_stuffed;
    size_t message_size; /* of each, before dots are put in */
    struct message_body {
        char *text;
        size_t size;
        SHA256_CTX sum;
    } bodies[MESSAGE_BODIES];
};

/* One message, in three pieces to be written one behind the other. */
struct message {
    char head[MESSAGE_HEAD_ROOM];
    size_t head_size;
    const char *body; /* borrowed from the maker */
    size_t body_size;
    char end[MESSAGE_END_ROOM];
    size_t end_size;
};

/* A message that would be smaller than its header is as large as it must be.
 * `is_stuffed`: a line's first dot is doubled, as DATA wants it. */
void message_maker_init(struct message_maker *maker, uint64_t size,
                        const char *from, const char *recipient_domain,
                        bool is_stuffed);
void message_maker_release(struct message_maker *maker);

void message_make(const struct message_maker *maker, uint64_t id,
                  struct message *message);

#endif
