/* The scan that DATA content goes through on its way in and out: how far it
 * consists of whole lines and text, which go on as they lie. Pure. */
#ifndef PROXY_SMTP_LINE_SCAN_H
#define PROXY_SMTP_LINE_SCAN_H

#include "rules/base/str.h"

/* A value; what was found, added to what is there. */
struct line_scan {
    uint64_t line_octets; /* of the line under way */
    uint64_t lines;       /* that ended */
    uint64_t longest;     /* octets of one, its CRLF not counted */
};

/* The octets before the first that wants a look of its own: a CR without its
 * LF, be it that the text ends there, a bare LF, a NUL and, if `heeds_dots`,
 * a dot behind a CRLF. (The caller knows whether a line begins with the text.)
 * Or all of them. */
size_t line_scan(struct line_scan *scan, struct str text, bool heeds_dots);

#endif
