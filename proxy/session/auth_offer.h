/* Which mechanisms a client is offered, now and here (RFC 4954 3), and what
 * they know of its connection. */
#ifndef PROXY_SESSION_AUTH_OFFER_H
#define PROXY_SESSION_AUTH_OFFER_H

struct session;

/* Bits of enum sasl_mechanism; 0: AUTH is not offered. */
unsigned auth_offers(const struct session *s);
/* Into s->channel, what an exchange may bind to and be proven by. */
void auth_describe_channel(struct session *s, unsigned offers);

#endif
