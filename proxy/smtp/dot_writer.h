/* Content to DATA octets: dot-stuffing and the end (RFC 5321 4.5.2), with an
 * invariant of its own, whatever the reader let through: CR only before LF,
 * LF only behind CR, no NUL, every dot at a line's start doubled, exactly one
 * CRLF.CRLF. Content that would break it is refused. Pure. */
#ifndef PROXY_SMTP_DOT_WRITER_H
#define PROXY_SMTP_DOT_WRITER_H

#include "rules/base/str.h"

struct dot_writer {
    bool is_line_start;
    bool has_cr; /* a CR was taken and not yet its LF */
    bool is_finished;
    bool is_broken; /* every later call fails too */
};

void dot_writer_init(struct dot_writer *writer);

/* Encodes from *bytes into `to`, advancing *bytes; stops when `room` is used
 * up (or one octet is left and a dot needs two). Stores the octets written.
 * 0, or -1 when the content breaks the
 * invariant: the connection must be dropped without an end. */
int dot_writer_write(struct dot_writer *writer, struct str *bytes, char *to,
                     size_t room, size_t *written);
/* The end: a missing CRLF, then ".\r\n"; needs room for 5 octets. -1 as
 * above (content ended in a CR). */
int dot_writer_finish(struct dot_writer *writer, char *to, size_t room,
                      size_t *written);

#endif
