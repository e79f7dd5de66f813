/* SASLprep (RFC 4013), by libidn. Pure. */
#ifndef PROXY_SASL_SASLPREP_H
#define PROXY_SASL_SASLPREP_H

#include "rules/base/str.h"

enum saslprep_use {
    SASLPREP_STORED, /* unassigned code points are refused */
    SASLPREP_QUERY   /* and here let through: RFC 3454 7 */
};

/* The prepared text in `to`, terminated. p is NULL when the text can't be
 * prepared (not UTF-8, control or bidirectional characters), comes out empty,
 * or does not fit into `room`. */
struct str saslprep(struct str text, enum saslprep_use use, char *to,
                    size_t room);

#endif
