/* Reverse and forward paths: <> , <Postmaster>, <mailbox> with any source
 * route dropped (RFC 5321 4.1.2, 4.1.1.3, C). Pure. */
#ifndef PROXY_SMTP_PATH_H
#define PROXY_SMTP_PATH_H

#include "rules/address.h"

enum path_error {
    PATH_OK = 0,
    PATH_SYNTAX = -1,      /* 501 5.1.7 / 5.1.3 */
    PATH_UNQUALIFIED = -2, /* 553 5.5.4 */
    PATH_TOO_LONG = -3,    /* 501 5.1.7 */
    PATH_UTF8 = -4         /* 553 5.6.7: of the callers, who know of SMTPUTF8 */
};

/* Reads a path at the start of *text, which must be in angle brackets, and
 * advances *text behind it and the white space that follows; what follows a
 * path directly, without a space, is a syntax error. *mailbox borrows: what
 * is inside, without source route; empty for <> and after PATH_SYNTAX. */
enum path_error path_reverse(struct str *text, struct str *mailbox);
/* The same for RCPT; <> is a syntax error, <Postmaster> in any case is fine
 * and needs no domain. */
enum path_error path_forward(struct str *text, struct str *mailbox);

#endif
