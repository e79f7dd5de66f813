/* The messages of token introspection (RFC 7662): the question's form and who
 * asks it, and what is to be thought of the answer. Pure. */
#ifndef PROXY_LOGIN_INTROSPECTION_H
#define PROXY_LOGIN_INTROSPECTION_H

#include "proxy/sasl/token_claims.h"

#define INTROSPECTION_TOKEN_MAX 12288
#define INTROSPECTION_ID_MAX 1024     /* of our client id */
#define INTROSPECTION_SECRET_MAX 4096 /* and its secret */

/* The form, in *length octets at `to`, which has room for
 * INTROSPECTION_FORM_ROOM. -1: the token is too long. */
#define INTROSPECTION_FORM_ROOM (INTROSPECTION_TOKEN_MAX * 3 + 64)
int introspection_form(struct str token, char *to, size_t *length);

/* The value of Authorization for our id and secret (RFC 6749 2.3.1), both at
 * most as long as above; terminated. */
#define INTROSPECTION_BASIC_ROOM                                               \
    ((INTROSPECTION_ID_MAX + INTROSPECTION_SECRET_MAX) * 4 + 32)
struct str introspection_basic(struct str id, struct str secret, char *to);

enum introspection_verdict {
    INTROSPECTION_GOOD,    /* *out says who bears the token */
    INTROSPECTION_REFUSED, /* *why says for what; TOKEN_GOOD: not active */
    INTROSPECTION_BROKEN   /* it is no such answer, or memory is out */
};

/* `body` came with status 200. `now_ms` since the Unix epoch. */
enum introspection_verdict
introspection_read(struct str body, const struct token_wants *wants,
                   uint64_t now_ms, struct arena *arena,
                   struct token_claims *out, enum token_verdict *why);

#endif
