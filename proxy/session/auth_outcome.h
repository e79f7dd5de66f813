/* What becomes of a login, once its exchange is over. */
#ifndef PROXY_SESSION_AUTH_OUTCOME_H
#define PROXY_SESSION_AUTH_OUTCOME_H

struct session;

/* Asks the back-ends about what s->sasl came to, then the rules about their
 * answer, and answers the client. */
void auth_ask(struct session *s);
/* The exchange itself has shown that the login is wrong. */
void auth_refuse(struct session *s);
/* Nobody waits for the back-ends any more. */
void auth_cancel(struct session *s);

#endif
