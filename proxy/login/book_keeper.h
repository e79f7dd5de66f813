/* Keeps the book of the users files the newest: a file that has changed is
 * read again, one that can't be used leaves the logins that were there before.
 * Files are read on the thread of whoever looks, while the book serves;
 * its lock is held for look-ups and for the moment of the exchange.
 * Thread-safe. */
#ifndef PROXY_LOGIN_BOOK_KEEPER_H
#define PROXY_LOGIN_BOOK_KEEPER_H

#include "proxy/login/user_book.h"

struct book_keeper;

/* How long nobody must have written to a file before it is read. */
#define BOOK_REST_MS 50

/* Reads all users files. NULL with errors in diags. Borrows `auth`. */
struct book_keeper *book_keeper_new(const struct auth_settings *auth,
                                    struct diags *diags);
/* NULL is fine. */
void book_keeper_free(struct book_keeper *keeper);
/* The secret by which stand-ins are chosen; before threads share the book. */
void book_keeper_keep_secret(struct book_keeper *keeper,
                             const uint8_t secret[KEYED_HASH_SECRET]);

/* For a look-up: what is found lasts until the book is given back. Not
 * nested. */
const struct user_book *book_keeper_lend(struct book_keeper *keeper);
void book_keeper_give_back(struct book_keeper *keeper);
/* Another number after each change of the book. */
uint64_t book_keeper_edition(const struct book_keeper *keeper);
bool book_keeper_holds_scram(const struct book_keeper *keeper);
bool book_keeper_has_files(const struct book_keeper *keeper);

/* Reads the files that have changed, and tells the log. True when some were
 * left alone as they may not be whole yet. Blocks. */
bool book_keeper_look(struct book_keeper *keeper, struct server_log *log);
/* The same at somebody's word, who knows that the files are whole; those that
 * could not be used are tried again. 0, or -1 with errors in diags. */
int book_keeper_reread(struct book_keeper *keeper, struct server_log *log,
                       struct diags *diags);

#endif
