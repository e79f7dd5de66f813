/* Preloaded, with single_user, into a peer that looks up users of its own and
 * has its paths compiled in (Exim the first, OpenSMTPD both), so that whoever
 * tests can run it and this system need not know it:
 *
 *   - the peer's users and groups exist,
 *   - every file that is asked about belongs to root,
 *   - its folders and sockets, the files that name the system and its
 *     resolver, and everything after a chroot, lie below $PEER_ROOT.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The function that a definition here hides. */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Exim refuses to be root, OpenSMTPD wants folders that belong to its users:
 * those that all files belong to. */
static struct passwd users[] = {
    {.pw_name = (char *)"Debian-exim", .pw_uid = 1, .pw_gid = 1},
    {.pw_name = (char *)"opensmtpd"},
    {.pw_name = (char *)"opensmtpq"},
};

static struct group groups[] = {
    {.gr_name = (char *)"Debian-exim", .gr_gid = 1},
    {.gr_name = (char *)"opensmtpd"},
    {.gr_name = (char *)"opensmtpq"},
};

static const char *const moved_paths[] = {
    "/etc/mailname", "/etc/resolv.conf", "/var/lib/opensmtpd", "/var/log/exim4",
    "/var/run",      "/var/spool/exim4", "/var/spool/smtpd",
};

struct place {
    char path[PATH_MAX];
};

/* What chroot was given, as the peer names it. */
static struct place jail;

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

static bool is_to_move(const char *path)
{
    for (size_t i = 0; i < COUNT(moved_paths); i++) {
        if (is_below(path, moved_paths[i])) {
            return true;
        }
    }
    return jail.path[0] != '\0';
}

/* Where it lies in truth; the answer may be written to `place`. A path that
 * fts made of one moved before is moved already. */
static const char *moved(const char *path, struct place *place)
{
    const char *root = getenv("PEER_ROOT");
    if (path[0] != '/' || is_below(path, root) || !is_to_move(path)) {
        return path;
    }
    int length = snprintf(place->path, sizeof(place->path), "%s%s%s", root,
                          jail.path, path);
    if (length < 0 || (size_t)length >= sizeof(place->path)) {
        abort();
    }
    return place->path;
}

struct passwd *getpwnam(const char *name)
{
    for (size_t i = 0; i < COUNT(users); i++) {
        if (strcmp(users[i].pw_name, name) == 0) {
            return &users[i];
        }
    }
    return NEXT(getpwnam)(name);
}

struct group *getgrnam(const char *name)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (strcmp(groups[i].gr_name, name) == 0) {
            return &groups[i];
        }
    }
    return NEXT(getgrnam)(name);
}

int stat(const char *path, struct stat *status)
{
    struct place place;
    int result = NEXT(stat)(moved(path, &place), status);
    status->st_uid = 0;
    status->st_gid = 0;
    return result;
}

int fstat(int fd, struct stat *status)
{
    int result = NEXT(fstat)(fd, status);
    status->st_uid = 0;
    status->st_gid = 0;
    return result;
}

int chroot(const char *path)
{
    jail.path[0] = '\0';
    int length = snprintf(jail.path, sizeof(jail.path), "%s", path);
    return length < 0 || (size_t)length >= sizeof(jail.path) ? -1 : 0;
}

int chdir(const char *path)
{
    struct place place;
    return NEXT(chdir)(moved(path, &place));
}

int chmod(const char *path, mode_t mode)
{
    struct place place;
    return NEXT(chmod)(moved(path, &place), mode);
}

int mkdir(const char *path, mode_t mode)
{
    struct place place;
    return NEXT(mkdir)(moved(path, &place), mode);
}

int rmdir(const char *path)
{
    struct place place;
    return NEXT(rmdir)(moved(path, &place));
}

int unlink(const char *path)
{
    struct place place;
    return NEXT(unlink)(moved(path, &place));
}

int rename(const char *from, const char *to)
{
    struct place from_place;
    struct place to_place;
    return NEXT(rename)(moved(from, &from_place), moved(to, &to_place));
}

int open(const char *path, int flags, ...)
{
    struct place place;
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return NEXT(open)(moved(path, &place), flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    struct place place;
    return NEXT(fopen)(moved(path, &place), mode);
}

DIR *opendir(const char *path)
{
    struct place place;
    return NEXT(opendir)(moved(path, &place));
}

FTS *fts_open(char *const *paths, int options,
              int (*compare)(const FTSENT **, const FTSENT **))
{
    struct place place;
    char *only[] = {(char *)moved(paths[0], &place), NULL};
    return NEXT(fts_open)(only, options, compare);
}

/* Another family's address stays as it is. NULL when the path is too long. */
static const struct sockaddr *moved_address(const struct sockaddr *address,
                                            struct sockaddr_un *changed)
{
    const struct sockaddr_un *name = (const struct sockaddr_un *)address;
    struct place place;
    if (address->sa_family != AF_UNIX || name->sun_path[0] != '/') {
        return address;
    }
    changed->sun_family = AF_UNIX;
    int length = snprintf(changed->sun_path, sizeof(changed->sun_path), "%s",
                          moved(name->sun_path, &place));
    if (length < 0 || (size_t)length >= sizeof(changed->sun_path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return (const struct sockaddr *)changed;
}

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    struct sockaddr_un changed;
    const struct sockaddr *given = address.__sockaddr__;
    const struct sockaddr *used = moved_address(given, &changed);
    if (used == NULL) {
        return -1;
    }
    return NEXT(bind)(fd, used, used == given ? length : sizeof(changed));
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    struct sockaddr_un changed;
    const struct sockaddr *given = address.__sockaddr__;
    const struct sockaddr *used = moved_address(given, &changed);
    if (used == NULL) {
        return -1;
    }
    return NEXT(connect)(fd, used, used == given ? length : sizeof(changed));
}
