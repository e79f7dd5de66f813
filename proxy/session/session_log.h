/* The lines a session writes into the decision log (design section 4). */
#ifndef PROXY_SESSION_SESSION_LOG_H
#define PROXY_SESSION_SESSION_LOG_H

#include "proxy/session/session_internal.h"

/* What a client is told, with 451 4.3.0, whose mail would not be logged. */
#define NOT_LOGGED_NOW "Decisions can't be logged now, try again later"

/* Whether the log takes the line of a mail that goes on now (log.strict); else
 * it is noted as crossed. */
bool session_log_takes_mail(struct session *s);

/* At a session's end. */
void session_log_session(struct session *s);
/* After each AUTH, once the rules were asked: result as facts have it, or
 * `refused` when a proven login was. `verdict` NULL: nobody was asked. */
void session_log_auth(struct session *s, const char *result,
                      const struct verdict *verdict);
/* When a rule has changed a dynamic list, or could not: it is full. */
void session_log_list(const struct session *s, const struct list_change *change,
                      bool is_done);
/* When a limit is nearly used up, or exceeded. */
void session_log_limit(const struct session *s, const struct limit_use *use);
/* At a transaction's end; after its holds were settled. */
void session_log_transaction(const struct session *s);

/* A greeting and what the rules said to it, for the session's line. */
void session_note_greeting(struct session *s, const struct verdict *verdict);

#endif
