/* The directories of a confinement, made and looked at for its user. */
#include "proxy/confine/confinement.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_in_group(const struct privileges *user, gid_t gid)
{
    for (size_t i = 0; i < user->group_count; i++)
        if (user->groups[i] == gid)
            return true;
    return user->gid == gid;
}

/* By the mode alone; where a list of access rights says more, its mask stands
 * in the place of the group. */
static bool may_write(const struct privileges *user, const struct stat *status)
{
    mode_t wanted = S_IWOTH | S_IXOTH;
    if (user->uid == status->st_uid)
        wanted = S_IWUSR | S_IXUSR;
    else if (is_in_group(user, status->st_gid))
        wanted = S_IWGRP | S_IXGRP;
    return (status->st_mode & wanted) == wanted;
}

/* Only what was made here is given away, so that no link leads to anything
 * else. */
static int make_and_give_away(const char *path, const struct privileges *user)
{
    if (mkdir(path, 0700) != 0)
        return errno;
    if (lchown(path, user->uid, user->gid) == 0)
        return 0;
    int number = errno;
    (void)rmdir(path);
    return number;
}

/* 0, or a number of errno. By the user's own rights where they are enough: a
 * service manager need not leave this process the right to give files away. */
static int make(const char *path, const struct privileges *user)
{
    privileges_borrow(user);
    int number = mkdir(path, 0700) == 0 ? 0 : errno;
    privileges_give_back(user);
    if (number == EACCES && !user->is_kept)
        number = make_and_give_away(path, user);
    return number == EEXIST ? 0 : number;
}

static struct mark mark_of(const struct confined_path *one)
{
    return one->mark.line > 0 ? one->mark : (struct mark){.file = one->key};
}

static int complain(struct diags *diags, const struct confined_path *one,
                    int number)
{
    diags_error(diags, mark_of(one), "%s: %s", one->path,
                strerrordesc_np(number));
    return -1;
}

static int prepare(const struct confined_path *one,
                   const struct privileges *user, const char *name,
                   struct diags *diags)
{
    struct stat status;
    int number = make(one->path, user);
    if (number != 0 && number != EROFS)
        return complain(diags, one, number);
    if (stat(one->path, &status) != 0)
        return complain(diags, one, errno);
    if (!S_ISDIR(status.st_mode) || user->is_kept || may_write(user, &status))
        return 0;
    diags_error(diags, mark_of(one),
                "%s: user %s may not write there: `chown -R %s %s`", one->path,
                name, name, one->path);
    return -1;
}

int confinement_prepare(const struct confinement *confinement,
                        struct diags *diags)
{
    struct privileges user;
    char error[256];
    int result = 0;
    if (confinement_user(confinement, &user, error, sizeof error) ==
        PRIVILEGES_FAILED) {
        diags_error(diags, (struct mark){.file = "user"}, "%s", error);
        return -1;
    }
    for (size_t i = 0; i < confinement->count; i++) {
        const struct confined_path *one = &confinement->paths[i];
        if (one->key != NULL && one->use != LANDLOCK_READ &&
            prepare(one, &user, confinement->user, diags) != 0)
            result = -1;
    }
    return result;
}
