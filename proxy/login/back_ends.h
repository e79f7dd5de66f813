/* The back-ends of auth.backends in their order, as all workers see them: what
 * each has prepared, and whether it could be asked of late. */
#ifndef PROXY_LOGIN_BACK_ENDS_H
#define PROXY_LOGIN_BACK_ENDS_H

#include "proxy/login/back_end_users.h"

#include <stdatomic.h>

struct back_end_entry {
    const struct back_end_kind *kind;
    const struct backend_settings *settings;
    void *shared; /* what it has prepared */
    atomic_bool is_away;
    atomic_uint_fast64_t away_ms; /* when that was seen last */
};

struct back_ends {
    struct back_end_entry *items;
    size_t count;
};

/* Zeroed before. 0, or -1 with errors in diags; to be released either way.
 * Borrows the settings and `users`. */
int back_ends_prepare(struct back_ends *back_ends,
                      const struct auth_settings *auth,
                      struct users_shared *users, struct files *files,
                      struct diags *diags);
/* Takes over what `fresh` was prepared of: the files of the same back-ends, as
 * they are now; that is to be released all the same. True: something that
 * logins are held against has changed. */
bool back_ends_renew(struct back_ends *back_ends, struct back_ends *fresh,
                     struct server_log *log);
void back_ends_release(struct back_ends *back_ends);

/* Whether any of them can judge a claim of this kind. */
bool back_ends_take(const struct back_ends *back_ends, enum claim_kind kind);
/* Whether users files alone know passwords here. */
bool back_ends_are_users(const struct back_ends *back_ends);

/* One has answered. The server log hears of each change of its state once,
 * whichever worker sees it. */
void back_ends_note(struct back_end_entry *entry,
                    const struct login_answer *answer, struct server_log *log,
                    uint64_t now_ms);

#endif
