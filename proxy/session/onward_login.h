/* With what the mail of a session logs in at its upstream, where that is not
 * the same for all mail: `login: {credentials}` or `login: {client: true}`. */
#ifndef PROXY_SESSION_ONWARD_LOGIN_H
#define PROXY_SESSION_ONWARD_LOGIN_H

#include "proxy/smtp/reply.h"

struct session;

/* Keeps a copy of what a client logs in with, if an upstream wants it. 0, or
 * -1 when out of memory. */
int onward_login_keep(struct session *s, struct str name, struct str password);
/* Wipes it. */
void onward_login_forget(struct session *s);

/* Chooses for the transaction's upstream, into its envelope. False: there is
 * nothing to log in with, and *reply says so. */
bool onward_login_choose(struct session *s, struct reply *reply);

#endif
