/* HMAC-MD5 as CRAM-MD5 (RFC 2195) needs it: what is kept of a password is the
 * two states of MD5 that its keys lead to (RFC 2104), as in Dovecot's users
 * files. Whoever has them can log in. Pure. */
#ifndef PROXY_SASL_CRAM_MD5_H
#define PROXY_SASL_CRAM_MD5_H

#include "rules/base/str.h"

#define CRAM_CONTEXTS 32 /* the outer state's 16 octets, then the inner's */
#define CRAM_DIGEST 16
#define CRAM_SCHEME "{CRAM-MD5}"

/* {CRAM-MD5} and 64 hexadecimal digits. 0, or -1. */
int cram_contexts_read(struct str text, uint8_t out[CRAM_CONTEXTS]);
/* In constant time. */
bool cram_contexts_fit(const uint8_t contexts[CRAM_CONTEXTS],
                       struct str password);
/* What the client must answer. */
void cram_digest(const uint8_t contexts[CRAM_CONTEXTS], struct str challenge,
                 uint8_t out[CRAM_DIGEST]);

/* Lower-case digits as RFC 2195 has them, and where `allows_upper` the others
 * too. text.n must be twice `octets`. 0, or -1. */
int hex_read(struct str text, bool allows_upper, uint8_t *to, size_t octets);

#endif
