/* Text from outside made fit for a terminal or a line of the server log: what
 * controls a terminal and what is not UTF-8 is written as \n, \t, \x1b or
 * \u{202e}, and a backslash doubled. Pure. */
#ifndef PROXY_LOG_PRINTABLE_H
#define PROXY_LOG_PRINTABLE_H

#include "rules/base/str.h"

/* Writes at most `room` octets, never half a character or escape, without a
 * NUL; what does not fit is replaced by "..." at the end. Returns the
 * number of octets. */
size_t printable(struct str text, char *out, size_t room);

#endif
