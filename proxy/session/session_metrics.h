/* What a session counts (proxy/metrics): at the places where it writes the
 * decision log, so that both tell the same. */
#ifndef PROXY_SESSION_SESSION_METRICS_H
#define PROXY_SESSION_SESSION_METRICS_H

#include "proxy/session/session_internal.h"

void session_count_handshake(const struct session *s, bool is_done);
/* A refusal outside a transaction; what passed is not counted. */
void session_count_verdict(const struct session *s,
                           const struct verdict *verdict);
/* `end`: the log's word. */
void session_count_end(const struct session *s, const char *end);
/* `result` as in session_log_auth(). */
void session_count_auth(const struct session *s, const char *result);
/* A limit is nearly used up. */
void session_count_warning(const struct session *s,
                           const struct limit_use *use);
void session_count_cap(const struct session *s, enum session_cap cap);
/* At its end. `verdict`: the log's word. */
void session_count_transaction(const struct session *s, const char *verdict);

#endif
