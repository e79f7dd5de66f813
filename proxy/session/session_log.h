/* The lines a session writes into the decision log (design section 4). */
#ifndef PROXY_SESSION_SESSION_LOG_H
#define PROXY_SESSION_SESSION_LOG_H

#include "proxy/session/session_internal.h"

/* At a session's end. */
void session_log_session(const struct session *s);
/* After each AUTH: result as facts have it. */
void session_log_auth(const struct session *s, const char *result);
/* When a rule has changed a dynamic list. */
void session_log_list(const struct session *s,
                      const struct list_change *change);
/* At a transaction's end; after its holds were settled. */
void session_log_transaction(const struct session *s);

#endif
