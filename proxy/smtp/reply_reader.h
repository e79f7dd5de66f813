/* An upstream's replies out of octets, strictly and bounded: three digits
 * 200 … 599, '-' or ' ' or nothing, CRLF; all lines with the same code. Pure.
 */
#ifndef PROXY_SMTP_REPLY_READER_H
#define PROXY_SMTP_REPLY_READER_H

#include "proxy/smtp/line_reader.h"
#include "proxy/smtp/reply.h"

struct reply_limits {
    size_t line;  /* octets of a line, with CRLF */
    size_t lines; /* of a reply */
    size_t total; /* octets of a reply */
};

enum reply_next { REPLY_READY, REPLY_MORE, REPLY_ERROR, REPLY_MEMORY };

struct reply_reader {
    struct line_reader line;
    struct reply_limits limits;
    char *text; /* owned: the texts gathered, LF between */
    size_t length, capacity;
    size_t lines, total;
    int code;
    char enhanced[16]; /* of the first line, when of fitting class */
    bool is_ready;     /* a reply was handed out: the next call forgets it */
    const char *error; /* after REPLY_ERROR: what was wrong; it stays */
};

void reply_reader_init(struct reply_reader *reader,
                       const struct reply_limits *limits);
void reply_reader_release(struct reply_reader *reader);
/* Advances *input; the reply borrows from the reader until the next call.
 * The enhanced code is cut off every line that repeats it. Text octets that
 * are not printable ASCII have become '?'. */
enum reply_next reply_reader_next(struct reply_reader *reader,
                                  struct str *input, struct reply *out);

#endif
