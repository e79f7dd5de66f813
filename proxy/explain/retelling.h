/* A recorded mail through a policy once more, to tell why: the facts are the
 * decision log's, limits and policy servers answer what they answered then.
 * What the log does not hold stays absent and is named. */
#ifndef PROXY_EXPLAIN_RETELLING_H
#define PROXY_EXPLAIN_RETELLING_H

#include "config/settings.h"
#include "proxy/explain/story.h"
#include "proxy/replay/recorded.h"

/* `session` is the line of its session, or NULL. 0, or -1 when out of
 * memory. */
int retell(const struct settings *settings, struct recorded *transaction,
           struct recorded *session, struct story *story);

/* The same of a session alone, whose connection, greeting or login was
 * refused. `attempt` is a line of an auth, or NULL. */
int retell_session(const struct settings *settings, struct recorded *session,
                   struct recorded *attempt, struct story *story);

#endif
