/* Which mechanisms a client is offered, now and here. */
#ifndef PROXY_SESSION_AUTH_OFFER_H
#define PROXY_SESSION_AUTH_OFFER_H

struct session;

/* Bits of enum sasl_mechanism; 0: AUTH is not offered. */
unsigned auth_offers(const struct session *s);

#endif
