/* The inside of an upstream's witness, for its two files: upstream_witness.c
 * reads what is written to it, upstream_replies.c what it says. */
#ifndef TESTS_FUZZ_SESSION_UPSTREAM_INTERNAL_H
#define TESTS_FUZZ_SESSION_UPSTREAM_INTERNAL_H

#include "tests/fuzz/session/obliging.h"
#include "tests/fuzz/session/upstream_witness.h"

enum part {
    UPSTREAM_COMMANDS,
    UPSTREAM_LINE_START, /* of the content behind a 354 */
    UPSTREAM_DOT,        /* … behind a dot at a line's start */
    UPSTREAM_DOT_CR,
    UPSTREAM_LINE,
    UPSTREAM_CHUNK
};

struct upstream_witness {
    struct upstream_witness *next;
    struct far_end *far;
    enum part part;
    struct octets command; /* the line under way */
    struct octets content;
    struct octets heard; /* the end of what it said, taken or not */
    struct octets said;  /* no whole line yet */
    struct octets due;   /* an octet each: enum asked */
    int code;            /* of a reply of several lines, so far; or 0 */
    bool is_over;        /* nothing may be written any more */
    bool has_pipelining, has_chunking, has_starttls, has_xclient;
    bool has_mail;     /* a transaction is open */
    size_t recipients; /* accepted */
    bool is_chunk_refused;
    uint64_t chunk_left;
    bool is_last_chunk;
    struct message *message; /* whose end was written last */
};

/* The product has taken a whole line of a reply. */
void upstream_take_reply_line(struct upstream_witness *w, struct str line);

#endif
