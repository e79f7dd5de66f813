/* What becomes of a login, once its exchange is over. */
#ifndef PROXY_SESSION_AUTH_OUTCOME_H
#define PROXY_SESSION_AUTH_OUTCOME_H

#include "rules/base/str.h"

struct session;

/* The next challenge of the exchange. */
void auth_challenge(struct session *s, const char *challenge);
/* Whom the client says it is, for rules and the log; n 0: it does not say.
 * False: memory is out, and the session ends. */
bool auth_note_name(struct session *s, struct str name);
/* Asks the back-ends about what s->sasl came to, then the rules about their
 * answer, and answers the client. */
void auth_ask(struct session *s);
/* The exchange itself has shown that the login is wrong, or is at its end
 * behind a claim that was refused. */
void auth_refuse(struct session *s);
/* Nobody waits for the back-ends any more. */
void auth_cancel(struct session *s);

#endif
