/* The public keys of a token issuer: a JWK set (RFC 7517). Keys that Postern
 * has no use for are passed over (section 5). Pure; immutable once read, so
 * that threads may share it. */
#ifndef PROXY_SASL_JWK_SET_H
#define PROXY_SASL_JWK_SET_H

#include "rules/base/str.h"

#define JWK_SET_OCTETS_MAX ((size_t)256 * 1024)
#define JWK_SET_KEYS_MAX 100
#define JWK_ID_MAX 256

/* What tokens may be signed by (RFC 7518 3.1, RFC 8037 3.1). Neither "none"
 * nor HMAC is among them, whose keys are secrets. */
enum jws_algorithm { JWS_RS256, JWS_ES256, JWS_EDDSA, JWS_ALGORITHMS };

struct jwk_set;

/* NULL: `wrong` has words that follow the file's name, in `room` octets. */
struct jwk_set *jwk_set_new(struct str text, char *wrong, size_t room);
void jwk_set_free(struct jwk_set *set);
size_t jwk_set_count(const struct jwk_set *set);

/* 0, or -1 when the name is none of the three. */
int jws_algorithm_parse(struct str name, enum jws_algorithm *out);

enum jwk_verdict {
    JWK_VERIFIED,
    JWK_UNKNOWN, /* no key of this algorithm and id */
    JWK_DIFFERS  /* none of them made this signature */
};

/* Whether a key of the set made `signature` (octets, as JWS has them) over
 * `input`. A key fits one algorithm alone. `id` p NULL: the token names none,
 * and all that fit are tried, a few at most; a key without an id fits any. */
enum jwk_verdict jwk_set_verify(const struct jwk_set *set,
                                enum jws_algorithm algorithm, struct str id,
                                struct str input, struct str signature);

#endif
