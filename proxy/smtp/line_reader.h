/* Lines out of octets: only CRLF ends a line (RFC 5321 2.3.8). Pure; holds a
 * buffer only while a line is incomplete. After a line that is too long or
 * holds a bare CR, a bare LF or a NUL, everything up to the next CRLF is
 * swallowed, and the fault is told once, as soon as it is seen. */
#ifndef PROXY_SMTP_LINE_READER_H
#define PROXY_SMTP_LINE_READER_H

#include "rules/base/str.h"

enum line_next {
    LINE_READY,    /* *line, without its CRLF */
    LINE_MORE,     /* all input taken, no whole line yet */
    LINE_TOO_LONG, /* over the limit, CRLF included */
    LINE_BAD,      /* a bare CR, a bare LF or a NUL */
    LINE_MEMORY
};

struct line_reader {
    char *buffer; /* owned */
    size_t length;
    size_t capacity;
    bool is_swallowing;
    bool has_cr; /* the last octet taken was CR */
};

void line_reader_init(struct line_reader *reader);
void line_reader_release(struct line_reader *reader);
/* Ends the loan of the last line, and wipes the reader's copy of it now rather
 * than at the next call. */
void line_reader_forget(struct line_reader *reader);
/* Whether part of a line is held or being swallowed. */
bool line_reader_is_empty(const struct line_reader *reader);

/* Advances *input past what it took. *line borrows from the input or the
 * reader, until the next call; at a fault it is what came up to where that
 * showed. `limit`: octets of a line with its CRLF; may differ from call to
 * call. */
enum line_next line_reader_next(struct line_reader *reader, struct str *input,
                                size_t limit, struct str *line);

#endif
