/* Who Postern is for the servers of an upstream: what the files of its `login`
 * hold, read once and then shared by all threads, and what a client logged in
 * with. */
#ifndef PROXY_UPSTREAM_CREDENTIALS_H
#define PROXY_UPSTREAM_CREDENTIALS_H

#include "config/settings.h"

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

struct credential_book;

/* Reads the files that `login` names; what is wrong with them are errors, at
 * their lines or where the configuration names them, and the result NULL. A
 * login by token, or the client's own, makes an empty book. */
struct credential_book *
credential_book_new(const struct upstream_settings *settings,
                    struct diags *diags);
/* Wipes. NULL is fine. */
void credential_book_free(struct credential_book *book);

/* Those of user and password_file; NULL: it is none of that kind. */
const struct credentials *
credential_book_own(const struct credential_book *book);
/* Those of a value of the fact `by`, without regard to ASCII case; NULL: the
 * file has no such line. */
const struct credentials *
credential_book_find(const struct credential_book *book, struct str value);

#endif
