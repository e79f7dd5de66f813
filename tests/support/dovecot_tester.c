/* Preloaded, with single_user, into Dovecot, so that whoever tests can run it:
 * the modules whose folder it has compiled in lie below $PEER_TREE, where its
 * package was unpacked, its folders may belong to the tester, and no process
 * of it looks whether it could become root again. */
#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MODULES "/usr/lib/dovecot/"

/* The function that a definition here hides. */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

struct place {
    char path[PATH_MAX];
};

/* Where it lies in truth; the answer may be written to `place`. */
static const char *moved(const char *path, struct place *place)
{
    const char *tree = getenv("PEER_TREE");
    if (path == NULL || tree == NULL ||
        strncmp(path, MODULES, strlen(MODULES)) != 0)
        return path;
    int length =
        snprintf(place->path, sizeof(place->path), "%s%s", tree, path);
    return length < 0 || (size_t)length >= sizeof(place->path) ? path
                                                               : place->path;
}

DIR *opendir(const char *path)
{
    struct place place;
    return NEXT(opendir)(moved(path, &place));
}

void *dlopen(const char *path, int flags)
{
    struct place place;
    return NEXT(dlopen)(moved(path, &place), flags);
}

/* Dovecot's own function, which gives a folder away and looks whether that is
 * so. */
int safe_mkdir(const char *folder, mode_t mode, uid_t user, gid_t group);

int safe_mkdir(const char *folder, mode_t mode, uid_t user, gid_t group)
{
    (void)user;
    (void)group;
    return mkdir(folder, mode) == 0 ? 1 : 2;
}

/* Dovecot's own, too: what they give up was never there. */
struct restrict_access_settings;
void restrict_access(const struct restrict_access_settings *set, int flags,
                     bool disallows_root);
void restrict_access_by_env(int flags, const char *home);

void restrict_access(const struct restrict_access_settings *set, int flags,
                     bool disallows_root)
{
    (void)set;
    (void)flags;
    (void)disallows_root;
}

void restrict_access_by_env(int flags, const char *home)
{
    (void)flags;
    (void)home;
}
