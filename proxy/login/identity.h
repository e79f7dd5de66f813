/* Whom a login makes: the user that was proven, or another that he may act
 * as (RFC 4422 3.4.1), with his addresses and groups. Pure. */
#ifndef PROXY_LOGIN_IDENTITY_H
#define PROXY_LOGIN_IDENTITY_H

#include "proxy/login/user_book.h"
#include "rules/base/arena.h"

/* What its line says of a user, as the answer to a right password; its texts
 * are copied into the arena. LOGIN_UNAVAILABLE: it is full. */
void identity_of_user(const struct user *user, struct arena *arena,
                      struct login_answer *answer);

/* `given` is a back-end's LOGIN_OK about the claim. *out is what the session
 * shall know, LOGIN_FAILED when he may not act as whom he wants to, or
 * LOGIN_UNAVAILABLE when the arena is full. What neither the back-end nor a
 * line of a users file tells is empty, but that a name which is an address
 * owns itself. *out borrows from `given` and the arena. */
void identity_settle(const struct user_book *book, const struct claim *claim,
                     const struct login_answer *given, struct arena *arena,
                     struct login_answer *out);

#endif
