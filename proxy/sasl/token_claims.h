/* What an issuer says of who bears a token: the claims of a JWT (RFC 7519 4.1)
 * or of the answer of an introspection (RFC 7662 2.2), held against what is
 * wanted. Pure; time is passed in. */
#ifndef PROXY_SASL_TOKEN_CLAIMS_H
#define PROXY_SASL_TOKEN_CLAIMS_H

#include "rules/base/arena.h"

#define TOKEN_NAME_MAX 1024 /* octets of the user's name, or of an entry */
#define TOKEN_LIST_MAX 1000 /* addresses, or groups */

/* Why a token is refused, for the log; clients are never told. */
enum token_verdict {
    TOKEN_GOOD,
    TOKEN_MALFORMED,
    TOKEN_ALGORITHM, /* none, HS256, or anything but the three */
    TOKEN_CRITICAL,  /* an extension that must be understood */
    TOKEN_TYPE,      /* another kind of JWT than an access token */
    TOKEN_KEY,       /* no key of its algorithm and kid */
    TOKEN_SIGNATURE,
    TOKEN_ISSUER,
    TOKEN_AUDIENCE,
    TOKEN_NO_EXPIRY,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET, /* nbf or iat is in the future */
    TOKEN_SCOPE,
    TOKEN_USER, /* no name to log in as */
    TOKEN_MEMORY,
    TOKEN_VERDICTS
};

/* Borrowed. A text with n 0 is not asked for. */
struct token_wants {
    struct str issuer, audience;
    struct str scope; /* words that must all be there, spaces between */
    struct str user_claim;
    struct str other_user_claim; /* where the first is missing */
    struct str addresses_claim, groups_claim;
    bool needs_expiry;
    uint64_t skew_ms; /* how far the clocks may be apart */
};

/* In the arena. */
struct token_claims {
    struct str user;             /* as the issuer wrote it */
    const struct str *addresses; /* canonical; no globs */
    size_t address_count;
    bool has_addresses; /* the claim is there */
    const struct str *groups;
    size_t group_count;
    bool has_groups;
    uint64_t expires_ms; /* how long it is still good; 0: it does not say */
};

struct json_t;

/* `now_ms` since the Unix epoch. */
enum token_verdict token_claims_check(const struct json_t *claims,
                                      const struct token_wants *wants,
                                      uint64_t now_ms, struct arena *arena,
                                      struct token_claims *out);

/* What is wrong and what to look at: "its audience is another one". */
const char *token_verdict_words(enum token_verdict verdict);

#endif
