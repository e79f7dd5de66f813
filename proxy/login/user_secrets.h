/* What SCRAM and CRAM-MD5 ask a users file for. A name that nobody has, or
 * whose login has nothing of the kind, gets a stand-in: it looks like another
 * login's, is the same each time as long as the book's secret is, and no
 * proof fits it. */
#ifndef PROXY_LOGIN_USER_SECRETS_H
#define PROXY_LOGIN_USER_SECRETS_H

#include "proxy/login/user_book.h"

/* `name` is as the client wrote it. Both are the caller's to wipe. */
void user_secrets_scram(const struct user_book *book, struct str name,
                        struct scram_verifier *out);
void user_secrets_cram(const struct user_book *book, struct str name,
                       uint8_t out[CRAM_CONTEXTS]);

#endif
