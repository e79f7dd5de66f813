/* The only caller of rules/: asks the rules of a stage about the facts of the
 * session, answers their questions from the ledger, applies what they did to
 * lists. */
#ifndef PROXY_SESSION_POLICY_H
#define PROXY_SESSION_POLICY_H

#include "proxy/session/session_internal.h"
#include "rules/evaluate.h"

/* connect, helo and the first auth: effects go to the session. */
void policy_ask_session(struct session *s, enum stage stage,
                        struct verdict *verdict);
/* auth, asked again before a MAIL: effects go to the transaction, but what
 * is counted once a session stays counted. */
void policy_ask_auth_again(struct session *s, struct verdict *verdict);
/* mail … reply. */
void policy_ask(struct session *s, enum stage stage, struct verdict *verdict);
/* The streamed octets passed effects.size_max. */
void policy_ask_exceeded(struct session *s, struct verdict *verdict);

/* Gives back what the session holds (connections at the same time). */
void policy_release_session(struct session *s);

#endif
