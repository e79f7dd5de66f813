/* What Dovecot's answers say of a user, as a login's answer. Pure. */
#ifndef PROXY_LOGIN_DOVECOT_USER_H
#define PROXY_LOGIN_DOVECOT_USER_H

#include "proxy/login/dovecot_protocol.h"
#include "proxy/login/login.h"

/* What is made of a line: its fields unescaped, and canonical addresses. */
#define DOVECOT_ARENA_MAX ((size_t)1024 * 1024)

/* What the administrator should hear of. */
struct dovecot_remarks {
    size_t dropped; /* words that are no address, or no group: left out */
    bool is_proxied;
};

/* The meaning of an OK: `user`, and `addresses` and `groups` where a passdb
 * has such extra fields. With `nologin` the user may not log in; with `proxy`
 * another server is to check the password, which this one may have passed
 * over: both have failed. *out is borrowed from the arena. */
void dovecot_user_read(const struct dovecot_answer *answer, struct arena *arena,
                       struct login_answer *out,
                       struct dovecot_remarks *remarks);
/* Whether a FAIL says that the server could not tell. */
bool dovecot_failure_is_temporary(const struct dovecot_answer *answer,
                                  struct arena *arena);

#endif
