/* DATA content out of octets: dot-unstuffing, end of data, and the counts
 * that rules ask for (RFC 5321 4.5.2). Only CRLF.CRLF ends it. A bare CR, a
 * bare LF, a NUL or a line over the limit is a fault: from then on nothing is
 * handed out, but the true end is still found. Pure, holds no memory. */
#ifndef PROXY_SMTP_DOT_READER_H
#define PROXY_SMTP_DOT_READER_H

#include "rules/base/str.h"

enum dot_next {
    DOT_BYTES, /* *bytes: decoded content, borrowed from the input or static */
    DOT_MORE,  /* all input taken */
    DOT_END    /* the end of data was taken; input behind it is untouched */
};

enum dot_fault {
    DOT_FAULT_NONE,
    DOT_FAULT_BARE_CR,
    DOT_FAULT_BARE_LF,
    DOT_FAULT_NUL,
    DOT_FAULT_LINE /* longer than the limit */
};

struct dot_reader {
    int state;
    enum dot_fault fault;
    uint64_t line_max; /* octets of a line without CRLF */
    uint64_t bytes;    /* decoded octets so far, CRLFs included */
    uint64_t lines;
    uint64_t line_octets; /* of the line under way */
    uint64_t longest_line;
    bool has_8bit;
};

void dot_reader_init(struct dot_reader *reader, uint64_t line_max);
/* Advances *input. Check reader->fault after every call. */
enum dot_next dot_reader_next(struct dot_reader *reader, struct str *input,
                              struct str *bytes);
/* Words for a reply: "a bare LF", … */
const char *dot_fault_text(enum dot_fault fault);

#endif
