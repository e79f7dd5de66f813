/* What comes back from the upstream, by the events of a delivery. */
#ifndef PROXY_SESSION_UPSTREAM_ANSWERS_H
#define PROXY_SESSION_UPSTREAM_ANSWERS_H

#include "proxy/upstream/delivery.h"

/* Their owner is the session. */
extern const struct delivery_events upstream_answers;

#endif
