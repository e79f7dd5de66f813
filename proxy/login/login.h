/* Is this password right? One question, asked of the back-ends in order; the
 * answer comes on the asking loop. Hashing runs on bounded threads of its
 * own, with the same work for a name that nobody has. */
#ifndef PROXY_LOGIN_LOGIN_H
#define PROXY_LOGIN_LOGIN_H

#include "config/settings.h"
#include "proxy/net/loop.h"

struct logins;       /* the users and the hashing threads: one a process */
struct login_client; /* a loop's way in: one a worker */
struct login_query;  /* one question under way */

/* Reads the users files; every fault is a diagnostic at its line, and the
 * result NULL. */
struct logins *logins_new(const struct settings *settings, struct diags *diags);
/* After every login_client was freed. */
void logins_free(struct logins *logins);

struct login_client *login_client_new(struct logins *logins, struct loop *loop);
void login_client_free(struct login_client *client);

enum login_result {
    LOGIN_OK,
    LOGIN_FAILED,
    LOGIN_UNAVAILABLE /* the queue is full, a thread or memory failed: 454 */
};

/* All borrowed within the call. */
struct login_answer {
    enum login_result result;
    struct str user; /* normalised, when LOGIN_OK */
    const struct str *addresses;
    size_t address_count;
    const struct str *groups;
    size_t group_count;
};

/* Copies name and password (the copy is wiped after use; the caller wipes its
 * own). `on_answer` comes later, on the client's loop, once, never from
 * inside; not at all after login_cancel(). NULL when out of memory. */
struct login_query *
login_ask(struct login_client *client, struct str name, struct str password,
          void (*on_answer)(void *owner, const struct login_answer *),
          void *owner);
void login_cancel(struct login_query *query);

/* SASLprep and lower case (RFC 4013). p is NULL when the name can't be
 * normalised (unassigned, bidirectional or control characters). */
struct str login_normalise(struct arena *arena, struct str name);

#endif
