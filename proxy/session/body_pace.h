/* How fast a message must come in: timeouts.data bounds the silence, and
 * caps.data_rate is the floor over a minute. */
#ifndef PROXY_SESSION_BODY_PACE_H
#define PROXY_SESSION_BODY_PACE_H

#include "proxy/session/session_internal.h"

/* The client did something, or is waited for again. */
void body_pace_touch(struct session *s);
/* Until when to look again. */
uint64_t body_pace_wait_ms(const struct session *s);
/* The deadline: no progress at all, or less than the floor? Ends the session
 * or waits on. */
void body_pace_tick(struct session *s);

#endif
