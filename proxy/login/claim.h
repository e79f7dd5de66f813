/* What a client says of who it is, once its AUTH exchange is over. A value;
 * everything is borrowed. */
#ifndef PROXY_LOGIN_CLAIM_H
#define PROXY_LOGIN_CLAIM_H

#include "rules/base/str.h"

struct client_identity;

enum claim_kind {
    CLAIM_PASSWORD, /* PLAIN, LOGIN: the secret is a password */
    CLAIM_TOKEN,    /* OAUTHBEARER, XOAUTH2: the secret is a bearer token; the
                       name may be empty */
    CLAIM_PROVEN,   /* SCRAM, CRAM-MD5, EXTERNAL: the exchange has proven the
                       name; who that is remains to be told */
    CLAIM_KINDS
};

struct claim {
    enum claim_kind kind;
    const char *mechanism; /* its name, static */
    struct str name;       /* as the client wrote it */
    struct str authzid;    /* whom it wants to act as; n 0: itself */
    struct str secret;     /* terminated; the length does not count that */
    const struct client_identity *client; /* where both ends are */
    struct str session;                   /* its id, for logs */
    struct str net;                       /* the client's */
    bool is_known; /* the name came in from this net before: goes first */
};

#endif
