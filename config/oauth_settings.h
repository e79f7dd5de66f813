/* Settings of the back-ends that bearer tokens are held against. Part of
 * settings.h. */
#ifndef CONFIG_OAUTH_SETTINGS_H
#define CONFIG_OAUTH_SETTINGS_H

#include "config/diag.h"

/* What is asked of a bearer token, and where it says who bears it. A text with
 * n 0 is not asked for. */
struct token_settings {
    struct str issuer, audience;
    struct str scope; /* words that must all be there, spaces between */
    struct str user_claim, addresses_claim, groups_claim;
    uint64_t skew_ms;
};

/* Tokens that prove themselves: JWTs. */
struct jwt_settings {
    const char *jwks; /* file with the issuer's public keys */
    struct mark mark; /* of that */
    struct token_settings token;
};

/* Tokens that a server is asked about. */
struct introspect_settings {
    struct str url;
    struct str authority; /* host and perhaps port, as written */
    struct str target;    /* path and query; "/" at least */
    const char *host;     /* without brackets */
    uint16_t port;
    const char *ca; /* file; NULL: the system's */
    struct mark ca_mark;
    struct mark mark; /* of the url */
    struct str client_id;
    const char *client_secret_file;
    struct mark client_secret_mark;
    struct token_settings token;
    uint64_t timeout_ms;
    uint64_t cache_ms;
};

#endif
