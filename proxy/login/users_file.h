/* A users file in memory: its logins, found by name. Immutable once read, so
 * that threads may share it. */
#ifndef PROXY_LOGIN_USERS_FILE_H
#define PROXY_LOGIN_USERS_FILE_H

#include "config/files.h"
#include "proxy/login/user_line.h"

#define USERS_FILE_MAX (64 * 1024 * 1024)
#define USERS_LINE_MAX (16 * 1024)

/* Some of the users; borrowed from `items`. */
struct user_list {
    const struct user **users;
    size_t count;
};

struct users {
    struct user *items; /* by name */
    size_t count, capacity;
    struct user_list with_password; /* of any kind */
    struct user_list with_scram, with_cram;
    struct arena arena;
    char digest[65]; /* SHA-256 of the file */
};

void users_init(struct users *users);
/* Wipes the hashes. */
void users_release(struct users *users);

/* Reads a whole file. Its faults are errors at its lines; that it can't be
 * read, or others may read it, at `named`, where the configuration names it.
 * 0, or -1 when there was an error. */
int users_read(struct users *users, struct files *files, const char *path,
               struct mark named, struct diags *diags);
/* The same of octets in memory; `path` is for the marks. */
int users_parse(struct users *users, struct str octets, const char *path,
                struct diags *diags);

/* The first line whose login has a password, and of another kind: it could
 * not log in by the mechanism of that kind. NULL: there is none. */
const struct user *users_lack(const struct users *users,
                              enum password_kind kind);

/* `name` is normalised. NULL: nobody. */
const struct user *users_find(const struct users *users, struct str name);

#endif
