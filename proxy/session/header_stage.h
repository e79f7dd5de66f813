/* The header block, complete and not yet sent: the rules see it and edit it.
 */
#ifndef PROXY_SESSION_HEADER_STAGE_H
#define PROXY_SESSION_HEADER_STAGE_H

#include "proxy/session/session_internal.h"

/* Vets what the header reader gathered. If it may go on, at once or later,
 * header_stage_send() follows; else the message has been refused and the
 * state has changed. */
void header_stage_vet(struct session *s);
/* The edited block, with the trace field and the empty line, goes on: it is
 * in the transaction's `unsent`, and the body begins. */
void header_stage_send(struct session *s);

#endif
