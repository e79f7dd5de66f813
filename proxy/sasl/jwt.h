/* An access token that proves itself: a JWT in a compact JWS (RFC 7515, 7519,
 * 9068), read as RFC 8725 advises. Pure; time is passed in. */
#ifndef PROXY_SASL_JWT_H
#define PROXY_SASL_JWT_H

#include "proxy/sasl/jwk_set.h"
#include "proxy/sasl/token_claims.h"

#define JWT_OCTETS_MAX 12288

/* TOKEN_GOOD fills *out. Nothing of the token is looked at before its
 * signature but the header. `now_ms` since the Unix epoch. */
enum token_verdict jwt_check(struct str token, const struct jwk_set *keys,
                             const struct token_wants *wants, uint64_t now_ms,
                             struct arena *arena, struct token_claims *out);

#endif
