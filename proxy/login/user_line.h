/* One line of a users file, in either of its two forms:
 *
 *     bob:$y$…:addresses=bob@example.com,*@sales.example.com groups=staff
 *     bob:{BLF-CRYPT}$2y$…:1000:1000::/home/bob::          (Dovecot's)
 *
 * may_act_as=alice,eve may follow in the first. A third field that holds "="
 * makes it the first. Pure. */
#ifndef PROXY_LOGIN_USER_LINE_H
#define PROXY_LOGIN_USER_LINE_H

#include "config/diag.h"
#include "proxy/login/password_hash.h"

struct user {
    struct str name;               /* normalised */
    struct password_hash password; /* wiped by users_release() */
    const struct str *addresses;   /* canonical, or globs in lower case */
    size_t address_count;
    const struct str *groups;
    size_t group_count;
    const struct str *may_act_as; /* normalised names; "*": any */
    size_t may_act_as_count;
    size_t line;
};

/* `at` is the line's place, column 1; the text has no line end. Keeps what it
 * reads in the arena. 0, or -1 with at least one error. */
int user_line_read(struct str text, struct mark at, struct arena *arena,
                   struct diags *diags, struct user *out);

#endif
