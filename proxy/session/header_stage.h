/* The header block, complete and not yet sent: the rules see it and edit it.
 */
#ifndef PROXY_SESSION_HEADER_STAGE_H
#define PROXY_SESSION_HEADER_STAGE_H

#include "proxy/session/session_internal.h"

/* Vets what the header reader gathered. If it may go on, the edited block,
 * with the trace field and the empty line, is in the transaction's `unsent`;
 * else the message has been refused and the state has changed. */
void header_stage_vet(struct session *s);

#endif
