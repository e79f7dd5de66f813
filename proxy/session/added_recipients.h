/* Recipients that rules added (`add_recipient`): asked of the upstream on the
 * same delivery, behind the client's own and before DATA. The client hears
 * nothing of them, but that its message was not taken when one that is
 * required was refused. */
#ifndef PROXY_SESSION_ADDED_RECIPIENTS_H
#define PROXY_SESSION_ADDED_RECIPIENTS_H

#include "proxy/session/session_internal.h"
#include "proxy/upstream/delivery.h"

/* Asks the upstream, and waits in SESSION_ADDING; header_stage_send() or a
 * refusal follows. False: there are none to ask. */
bool added_recipients_ask(struct session *s);
/* The upstream's answer to one of them. */
void added_recipients_answer(struct session *s, size_t index,
                             const struct outcome *outcome);

#endif
