/* The trace field that Postern adds (RFC 5321 4.4, 3848, 8314 4.3). */
#ifndef PROXY_SESSION_RECEIVED_H
#define PROXY_SESSION_RECEIVED_H

#include "proxy/session/session_internal.h"

/* The whole field with its CRLFs, in the transaction's arena; p is NULL when
 * that is full. */
struct str received_field(const struct session *s);

#endif
