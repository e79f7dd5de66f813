#include "proxy/confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRY_ROOM ((size_t)64 * 1024)
/* The kernel has 41 so far; a number that it lacks is EINVAL. */
#define CAPABILITIES_MAX 64

void privileges_keep(struct privileges *privileges)
{
    *privileges = (struct privileges){
        .is_kept = true, .uid = geteuid(), .gid = getegid()};
}

static enum privileges_result take(struct privileges *privileges,
                                   const struct passwd *entry, char *error,
                                   size_t room)
{
    int count = PRIVILEGES_GROUPS_MAX;
    *privileges =
        (struct privileges){.uid = entry->pw_uid, .gid = entry->pw_gid};
    if (getgrouplist(entry->pw_name, entry->pw_gid, privileges->groups,
                     &count) < 0) {
        snprintf(error, room,
                 "user %s is in more than %d groups: take it out of some",
                 entry->pw_name, PRIVILEGES_GROUPS_MAX);
        return PRIVILEGES_FAILED;
    }
    privileges->group_count = (size_t)count;
    return PRIVILEGES_FOUND;
}

enum privileges_result privileges_find(struct privileges *privileges,
                                       const char *user, char *error,
                                       size_t room)
{
    struct passwd entry, *found = NULL;
    privileges_keep(privileges);
    if (geteuid() != 0)
        return PRIVILEGES_FOUND;
    char *texts = malloc(ENTRY_ROOM);
    int number = texts == NULL
                     ? ENOMEM
                     : getpwnam_r(user, &entry, texts, ENTRY_ROOM, &found);
    enum privileges_result result = PRIVILEGES_FAILED;
    if (found != NULL) {
        result = take(privileges, found, error, room);
    } else if (number == 0 || number == ENOENT || number == ESRCH) {
        snprintf(error, room, "there is no user %s: `adduser --system %s`",
                 user, user);
        result = PRIVILEGES_NO_USER;
    } else {
        snprintf(error, room, "user %s can't be looked up: %s", user,
                 strerrordesc_np(number));
    }
    free(texts);
    return result;
}

static int fail(char *error, size_t room, const char *what)
{
    snprintf(error, room, "%s: %s", what, strerrordesc_np(errno));
    return -1;
}

/* The groups first: a user that is not root can't change them. */
static int become(const struct privileges *privileges, char *error, size_t room)
{
    uid_t uid = privileges->uid;
    gid_t gid = privileges->gid;
    if (setgroups(privileges->group_count, privileges->groups) != 0)
        return fail(error, room, "the groups of the user can't be taken on");
    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return fail(error, room, "the user can't be changed to");
    return 0;
}

/* What a program that is executed could have. EPERM: this process may not say
 * so; then no_new_privs alone keeps it from having any. */
static int empty_bounding_set(void)
{
    for (int i = 0; i < CAPABILITIES_MAX; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL &&
            errno != EPERM)
            return -1;
    return 0;
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    const struct __user_cap_data_struct none[2] = {{0}};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_capset, &head, none);
}

static bool has_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct held[2] = {{0}};
    if (syscall(SYS_capget, &head, held) != 0)
        return true;
    return (held[0].effective | held[0].permitted | held[0].inheritable |
            held[1].effective | held[1].permitted | held[1].inheritable) != 0;
}

static bool is_only(uid_t uid)
{
    uid_t real = 0, effective = 0, saved = 0;
    return getresuid(&real, &effective, &saved) == 0 && real == uid &&
           effective == uid && saved == uid;
}

/* Whether what was given up stays away. */
static bool is_lost(const struct privileges *privileges)
{
    if (has_capabilities() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return false;
    if (privileges->is_kept)
        return true;
    return is_only(privileges->uid) &&
           (privileges->uid == 0 || setresuid(0, 0, 0) != 0);
}

int privileges_drop(const struct privileges *privileges, char *error,
                    size_t room)
{
    if (empty_bounding_set() != 0)
        return fail(error, room, "capabilities can't be forbidden");
    if (!privileges->is_kept && become(privileges, error, room) != 0)
        return -1;
    if (drop_capabilities() != 0)
        return fail(error, room, "the capabilities can't be dropped");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, room, "no_new_privs can't be set");
    if (is_lost(privileges))
        return 0;
    snprintf(error, room, "what this process gave up, it can have back");
    return -1;
}

void privileges_borrow(const struct privileges *privileges)
{
    if (privileges->is_kept)
        return;
    (void)setfsgid(privileges->gid);
    (void)setfsuid(privileges->uid);
}

void privileges_give_back(const struct privileges *privileges)
{
    if (privileges->is_kept)
        return;
    (void)setfsuid(geteuid());
    (void)setfsgid(getegid());
}
