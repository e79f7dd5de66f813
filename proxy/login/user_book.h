/* The logins of all users files: the first file that has a name counts.
 * Immutable once read, but for user_book_exchange(). */
#ifndef PROXY_LOGIN_USER_BOOK_H
#define PROXY_LOGIN_USER_BOOK_H

#include "proxy/login/login.h"
#include "proxy/login/users_file.h"
#include "rules/base/keyed_hash.h"

struct user_book {
    struct users *files;
    size_t file_count;
    size_t user_count; /* of all files */
    bool holds_scram;  /* every login with a password holds SCRAM's keys */
    uint8_t secret[KEYED_HASH_SECRET];
};

/* Zeroed before. 0, or -1 with errors in diags; to be released either way.
 * Warns when SCRAM is among the mechanisms and a login lacks its keys. */
int user_book_read(struct user_book *book, const struct auth_settings *auth,
                   struct files *files, struct diags *diags);
/* Wipes the hashes. */
void user_book_release(struct user_book *book);

/* The logins are those of *fresh from now on, which become what was there
 * before; the secret stays. No user of the book may be in use. */
void user_book_exchange(struct user_book *book, struct user_book *fresh);

/* `name` is normalised. NULL: nobody. */
const struct user *user_book_find(const struct user_book *book,
                                  struct str name);
/* The same of a name as a client writes it. */
const struct user *user_book_find_name(const struct user_book *book,
                                       struct str name);
/* The login whose cost a name has that nobody has, or that has no password:
 * always the same one's, or asking twice would tell. NULL: there are none. */
const struct user *user_book_stand_in(const struct user_book *book,
                                      struct str name);
/* The same among those with a password of one kind; PASSWORD_NONE: of any. */
const struct user *user_book_choose(const struct user_book *book,
                                    enum password_kind kind, struct str name);

#endif
