/* The only caller of rules/: asks the rules of a stage about the facts of the
 * session, answers their questions, applies what they did to lists, and holds
 * the answer as long as a rule's `delay` says.
 *
 * `then` is called with the verdict: inside the call when nobody must be
 * awaited, else later, from the loop. Until then s->awaited is set: nothing
 * of the client is read and no deadline of its runs, but answers of the
 * upstream go on arriving. When the session or its transaction ends first,
 * policy_forget() sees to it that `then` is never called. */
#ifndef PROXY_SESSION_POLICY_H
#define PROXY_SESSION_POLICY_H

#include "proxy/session/session_internal.h"
#include "rules/evaluate.h"

struct recipient;

/* The verdict is valid within the call; its texts live as long as the effects
 * they came with. */
typedef void policy_then(struct session *s, const struct verdict *verdict);

/* connect, helo and auth after a failure: effects go to the session. */
void policy_ask_session(struct session *s, enum stage stage, policy_then *then);
/* auth of a proven login: learns client.known first. The user's normalised
 * name must live as long as the session. */
void policy_ask_login(struct session *s, struct str user, policy_then *then);
/* auth, asked again before a MAIL: effects go to the transaction, but what
 * is counted once a session stays counted. */
void policy_ask_auth_again(struct session *s, policy_then *then);
/* mail, rcpt, data, header, message. */
void policy_ask(struct session *s, enum stage stage, policy_then *then);
/* reply, which refuses nothing, whatever else is awaited. To the RCPT of that
 * recipient; NULL: to the message. What it must ask a store goes on beside the
 * transaction: see policy_reply.h. */
void policy_ask_reply(struct session *s, const struct recipient *recipient);
/* The streamed octets passed effects.size_max. */
void policy_ask_exceeded(struct session *s, struct verdict *verdict);

/* Nobody waits for the verdict any more. */
void policy_forget(struct session *s);

/* Gives back what the session holds (connections at the same time). */
void policy_release_session(struct session *s);

#endif
