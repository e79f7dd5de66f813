/* The user as which a process goes on: its groups, and no capability. Found by
 * name before the process is confined, as a look-up reads files. For the main
 * thread, before there are others. */
#ifndef PROXY_CONFINE_PRIVILEGES_H
#define PROXY_CONFINE_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PRIVILEGES_GROUPS_MAX 64

struct privileges {
    bool is_kept; /* the process stays the user that it is */
    uid_t uid;
    gid_t gid;
    gid_t groups[PRIVILEGES_GROUPS_MAX];
    size_t group_count;
};

enum privileges_result {
    PRIVILEGES_FOUND,
    PRIVILEGES_NO_USER, /* there is none of that name */
    PRIVILEGES_FAILED   /* the reason is in `error` */
};

/* A process that is not root keeps its user, whatever the name. */
enum privileges_result privileges_find(struct privileges *privileges,
                                       const char *user, char *error,
                                       size_t room);
/* The user that this process is. */
void privileges_keep(struct privileges *privileges);

/* Becomes that user, drops every capability and the way to new ones, and
 * tries that none comes back. 0, or -1 with the reason in `error`: the process
 * must then serve nobody. */
int privileges_drop(const struct privileges *privileges, char *error,
                    size_t room);

/* Files that this thread makes are that user's, by the user's own rights,
 * until they are given back. Does nothing for a user that is kept. */
void privileges_borrow(const struct privileges *privileges);
void privileges_give_back(const struct privileges *privileges);

#endif
