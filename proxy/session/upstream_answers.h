/* What comes back from the upstream, by the events of a delivery. */
#ifndef PROXY_SESSION_UPSTREAM_ANSWERS_H
#define PROXY_SESSION_UPSTREAM_ANSWERS_H

#include "proxy/session/session_internal.h"
#include "proxy/upstream/delivery.h"

/* Their owner is the session. */
extern const struct delivery_events upstream_answers;

/* The upstream's last answer is there, and the reply rules have seen it. */
void upstream_answers_conclude(struct session *s);

#endif
