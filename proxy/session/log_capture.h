/* What the decision log will say of a header, taken before any rule changes
 * it: the addresses of From, and the fields that rules name, so that a replay
 * need not guess. All memory is the transaction's arena. */
#ifndef PROXY_SESSION_LOG_CAPTURE_H
#define PROXY_SESSION_LOG_CAPTURE_H

#include "config/settings.h"
#include "rules/header_fields.h"

struct captured_header {
    struct str name; /* lower case; borrowed from the rules */
    struct str *bodies;
    size_t count, capacity;
    bool is_cut; /* too long, or not UTF-8: not kept */
};

struct log_capture {
    struct captured_header *headers;
    size_t header_count, header_capacity;
    size_t bytes;
    struct str *from;
    size_t from_count;
    bool from_is_cut;
    uint64_t hops;
};

/* On lack of memory less is kept, and marked as cut. */
void log_capture_header(struct log_capture *capture, struct arena *arena,
                        const struct settings *settings,
                        const struct header_fields *fields);

#endif
