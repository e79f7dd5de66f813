/* Content to the octets of BDAT chunks (RFC 3030): they go out as they lie, so
 * this only holds them against an invariant of its own, whatever the reader
 * let through: CR only before LF, LF only behind CR, no NUL, and a CRLF in the
 * end. Content that would break it is refused. Pure. */
#ifndef PROXY_SMTP_CHUNK_WRITER_H
#define PROXY_SMTP_CHUNK_WRITER_H

#include "rules/base/str.h"

/* "BDAT 18446744073709551615 LAST\r\n" */
#define CHUNK_COMMAND_MAX 32

struct chunk_writer {
    bool is_within_line;
    bool has_cr;    /* a CR was taken and not yet its LF */
    bool is_broken; /* every later call fails too */
};

void chunk_writer_init(struct chunk_writer *writer);
/* Takes the next octets of the content. 0, or -1 when they break the
 * invariant: none of them must go out. */
int chunk_writer_check(struct chunk_writer *writer, struct str octets);
/* The end of the content: what is still to be sent of it, CRLF or nothing. -1
 * as above (it ended in a CR). */
int chunk_writer_finish(struct chunk_writer *writer, struct str *end);

/* The command before a chunk of `octets`; borrows from `to`. */
struct str chunk_command(char to[CHUNK_COMMAND_MAX], size_t octets,
                         bool is_last);

#endif
