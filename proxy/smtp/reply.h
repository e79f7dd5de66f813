/* SMTP replies: a value, and its octets (RFC 5321 4.2, 2034). Pure. */
#ifndef PROXY_SMTP_REPLY_H
#define PROXY_SMTP_REPLY_H

#include "rules/base/arena.h"

#define REPLY_LINE_MAX 512 /* with CRLF: RFC 5321 4.5.3.1.5 */

/* One reply. `text` may hold several lines, separated by LF; everything in
 * it that is not printable ASCII goes out as '?'. Borrowed. */
struct reply {
    int code;            /* 200 … 599 */
    struct str enhanced; /* "5.7.1", or n 0: none */
    struct str text;
};

/* Appends the octets to `to` (with `room`): every line "code[- ]enhanced
 * text CRLF", long lines broken at REPLY_LINE_MAX. Returns the octets, or 0
 * when there is no room: nothing useful was written then. */
size_t reply_format(const struct reply *reply, char *to, size_t room);

/* Splits "553 5.7.1 text" (enhanced code optional). -1: not that form, or the
 * enhanced code's class does not fit the code's. */
int reply_parse(struct str line, struct reply *out);

/* Whether "x.y.z" (RFC 3463), and its class digit is the first of `code`. */
bool enhanced_code_fits(struct str enhanced, int code);

#endif
