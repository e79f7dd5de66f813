/* What a policy server is told of a session and its transaction. */
#ifndef PROXY_SESSION_POLICY_QUESTION_H
#define PROXY_SESSION_POLICY_QUESTION_H

#include "proxy/ask/policy_request.h"
#include "proxy/session/session_internal.h"

/* Returns the octets written, or 0: no room, or no transaction. */
size_t policy_question_write(const struct session *s, enum stage stage,
                             char *to, size_t room);

#endif
