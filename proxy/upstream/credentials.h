/* Who Postern is for the servers of an upstream: what its `login` says, and
 * what a client logged in with. */
#ifndef PROXY_UPSTREAM_CREDENTIALS_H
#define PROXY_UPSTREAM_CREDENTIALS_H

#include <stdbool.h>

#include "rules/base/str.h"

/* Borrowed texts. */
struct credentials {
    struct str user;
    struct str secret;  /* the password, or the token */
    struct str session; /* whose own they are: connections that were logged in
                         * with them serve this session alone; n 0: nobody's */
};

/* Whether a connection of the one may serve the other. */
bool credentials_equal(const struct credentials *a,
                       const struct credentials *b);

/* A copy, in one piece of memory. */
struct kept_credentials {
    struct credentials credentials; /* user.p NULL: none */
    char *octets;
    size_t length;
};

/* 0, or -1 when out of memory. NULL keeps none. */
int credentials_keep(struct kept_credentials *kept,
                     const struct credentials *from);
/* Wipes. */
void credentials_release(struct kept_credentials *kept);

#endif
