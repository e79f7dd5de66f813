/* What the files of an upstream's `login` hold, shared by all threads and
 * renewed when they change. */
#ifndef PROXY_UPSTREAM_CREDENTIAL_BOOK_H
#define PROXY_UPSTREAM_CREDENTIAL_BOOK_H

#include "config/files.h"
#include "config/settings.h"
#include "proxy/upstream/credentials.h"

struct credential_book;

/* A token in a file, or JSON with one. */
#define CREDENTIALS_TOKEN_MAX ((size_t)64 * 1024)

/* Reads the files that `login` names; what is wrong with them are errors, at
 * their lines or where the configuration names them, and the result NULL. A
 * token's file may be missing yet: who asks for it is told. A login by
 * token_command, or the client's own, makes an empty book. */
struct credential_book *
credential_book_new(const struct upstream_settings *settings,
                    struct files *files, struct diags *diags);
/* Wipes. NULL is fine. */
void credential_book_free(struct credential_book *book);
/* What is asked next is what `fresh` holds: of the same login, whose files have
 * changed; `fresh` is freed. Any thread. */
void credential_book_renew(struct credential_book *book,
                           struct credential_book *fresh);
/* Another number after each change. */
uint64_t credential_book_edition(const struct credential_book *book);

/* Copies, to be released: 0, or -1 when out of memory. What is not there keeps
 * none. Those of user and password_file: */
int credential_book_own(struct credential_book *book,
                        struct kept_credentials *out);
/* Those of a value of the fact `by`, without regard to ASCII case: */
int credential_book_find(struct credential_book *book, struct str value,
                         struct kept_credentials *out);
/* What the token's file holds, in `to`, the caller's to wipe. NULL, or what is
 * wrong with it. */
const char *credential_book_token(struct credential_book *book,
                                  char to[CREDENTIALS_TOKEN_MAX],
                                  size_t *length);

#endif
