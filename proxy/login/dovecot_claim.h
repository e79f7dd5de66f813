/* What a claim says to Dovecot: the mechanism that it is put in, and the
 * request. Pure. */
#ifndef PROXY_LOGIN_DOVECOT_CLAIM_H
#define PROXY_LOGIN_DOVECOT_CLAIM_H

#include "proxy/login/claim.h"
#include "proxy/login/dovecot_protocol.h"

/* A password goes in PLAIN, whatever the client said it with; a token in the
 * client's own mechanism rather than the other one. `has`: the server's.
 * DOVECOT_MECHANISMS: none of these. */
enum dovecot_mechanism dovecot_claim_mechanism(const struct claim *claim,
                                               const bool *has);

/* The request's line and its length; 0: the claim can't be said in that
 * mechanism, or in a line. The caller wipes what is written. */
size_t dovecot_claim_write(const struct claim *claim,
                           enum dovecot_mechanism mechanism, uint32_t id,
                           char *to, size_t room);

#endif
