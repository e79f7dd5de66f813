/* Preloaded into a peer (Postfix, Exim, OpenSMTPD) so that it runs
 * unprivileged: each program is told that it is root, and a change of identity
 * is remembered but not made. Nothing is installed, no namespace and no
 * privilege is needed, in a container as well as here. The state is the
 * process's own, as an identity is; a program begins as root again.
 */
#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

static uid_t real_uid;
static uid_t effective_uid;
static gid_t real_gid;
static gid_t effective_gid;

uid_t getuid(void)
{
    return real_uid;
}

uid_t geteuid(void)
{
    return effective_uid;
}

int setuid(uid_t uid)
{
    real_uid = uid;
    effective_uid = uid;
    return 0;
}

int seteuid(uid_t uid)
{
    effective_uid = uid;
    return 0;
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    (void)saved;
    real_uid = real;
    effective_uid = effective;
    return 0;
}

gid_t getgid(void)
{
    return real_gid;
}

gid_t getegid(void)
{
    return effective_gid;
}

int setgid(gid_t gid)
{
    real_gid = gid;
    effective_gid = gid;
    return 0;
}

int setegid(gid_t gid)
{
    effective_gid = gid;
    return 0;
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    (void)saved;
    real_gid = real;
    effective_gid = effective;
    return 0;
}

int setgroups(size_t count, const gid_t *groups)
{
    (void)count;
    (void)groups;
    return 0;
}

int initgroups(const char *user, gid_t group)
{
    (void)user;
    (void)group;
    return 0;
}

int chown(const char *path, uid_t owner, gid_t group)
{
    (void)path;
    (void)owner;
    (void)group;
    return 0;
}

int fchown(int fd, uid_t owner, gid_t group)
{
    (void)fd;
    (void)owner;
    (void)group;
    return 0;
}
