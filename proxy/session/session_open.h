/* The beginning of a session: who comes, whether it may, and the greeting. */
#ifndef PROXY_SESSION_SESSION_OPEN_H
#define PROXY_SESSION_SESSION_OPEN_H

#include "proxy/session/session_internal.h"

/* Learns the client, asks the connect rules, then greets or begins TLS. May
 * end the session. */
void session_open(struct session *s);
/* The facts of its address. False: out of memory. */
bool session_learn_client(struct session *s);
/* 220, or the refusal of the connect stage. */
void session_greet(struct session *s);
/* Whether this client may mail after a login only. */
bool session_needs_login(const struct session *s);

#endif
