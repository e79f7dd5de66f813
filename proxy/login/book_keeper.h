/* Keeps the book of the users files, and exchanges it for one that was read
 * anew; its lock is held for look-ups and for the moment of the exchange.
 * Thread-safe. */
#ifndef PROXY_LOGIN_BOOK_KEEPER_H
#define PROXY_LOGIN_BOOK_KEEPER_H

#include "proxy/login/user_book.h"

struct book_keeper;

/* Reads all users files. NULL with errors in diags. Borrows `auth`. */
struct book_keeper *book_keeper_new(const struct auth_settings *auth,
                                    struct files *files, struct diags *diags);
/* NULL is fine. */
void book_keeper_free(struct book_keeper *keeper);
/* The secret by which stand-ins are chosen; before threads share the book. */
void book_keeper_keep_secret(struct book_keeper *keeper,
                             const uint8_t secret[KEYED_HASH_SECRET]);

/* For a look-up: what is found lasts until the book is given back. Not
 * nested. */
const struct user_book *book_keeper_lend(struct book_keeper *keeper);
void book_keeper_give_back(struct book_keeper *keeper);
/* Another number after each change of what logins are held against. */
uint64_t book_keeper_edition(const struct book_keeper *keeper);
bool book_keeper_holds_scram(const struct book_keeper *keeper);
bool book_keeper_has_files(const struct book_keeper *keeper);

/* The book is `fresh` from now on, of the same files; that becomes what was
 * there before. The log hears of each that has changed. The edition is another
 * one then, or if `others_changed`: something else that logins are held
 * against. One thread at a time. */
void book_keeper_renew(struct book_keeper *keeper, struct user_book *fresh,
                       bool others_changed, struct server_log *log);

#endif
