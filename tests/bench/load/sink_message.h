/* A message on its way in: its octets, without what SMTP puts around them,
 * are counted, and held against the sum in its header (message_sum.h). */
#ifndef BENCH_LOAD_SINK_MESSAGE_H
#define BENCH_LOAD_SINK_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/load/message_sum.h"

enum sink_finding {
    FINDING_NONE,     /* it was not looked at */
    FINDING_RIGHT,    /* as it was sent */
    FINDING_WRONG,    /* not so */
    FINDING_UNMARKED, /* it says no sum, or no id */
};

struct sink_message {
    bool is_verified, is_in_header;
    uint64_t size;
    SHA256_CTX body;
    char line[128]; /* of the header, as far as it goes */
    size_t line_size;
    char id[MESSAGE_ID_SIZE + 1], sum[MESSAGE_SUM_SIZE + 1];
};

void sink_message_begin(struct sink_message *message, bool is_verified);
void sink_message_take(struct sink_message *message, const char *octets,
                       size_t size);
enum sink_finding sink_message_end(struct sink_message *message);

#endif
