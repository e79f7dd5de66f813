/* A session that comes through a balancer: its PROXY header is read before
 * anything else, and tells who the client is. */
#ifndef PROXY_SESSION_BALANCER_H
#define PROXY_SESSION_BALANCER_H

#include "proxy/session/session_internal.h"

void balancer_await_header(struct session *s);
/* Takes the header if it is there; false: nothing more to do now. */
bool balancer_take_header(struct session *s);
/* Without a header of a balancer nobody knows who is served: ends at once. */
void balancer_refuse(struct session *s, enum session_end end, const char *why);

#endif
