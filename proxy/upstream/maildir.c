#include "proxy/upstream/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a name's parts that come from elsewhere. */
#define PART_MAX 64

/* Whether messages can be made in it. */
static int check_directory(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return errno;
    if (!S_ISDIR(status.st_mode))
        return ENOTDIR;
    if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0)
        return errno;
    return 0;
}

static int make_directory(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return errno;
    return check_directory(path);
}

static int check_what_is_there(const char *path)
{
    int error = check_directory(path);
    return error == ENOENT ? 0 : error;
}

static int join(char *to, const char *path, const char *folder,
                const char *name)
{
    int n = snprintf(to, PATH_MAX, "%s/%s%s%s", path, folder,
                     name[0] == '\0' ? "" : "/", name);
    return n > 0 && n < PATH_MAX ? 0 : ENAMETOOLONG;
}

static int for_each_folder(const char *path, int (*visit)(const char *path))
{
    static const char *const folders[] = {"tmp", "new", "cur"};
    char folder[PATH_MAX];
    int error = visit(path);
    for (size_t i = 0; i < 3 && error == 0; i++) {
        error = join(folder, path, folders[i], "");
        if (error == 0)
            error = visit(folder);
    }
    return error;
}

int maildir_prepare(const char *path)
{
    return for_each_folder(path, make_directory);
}

/* Whether a missing Maildir can be made where it is named. */
static int check_parent(const char *path)
{
    char parent[PATH_MAX];
    size_t n = strlen(path);
    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n >= sizeof parent)
        return ENAMETOOLONG;
    memcpy(parent, path, n);
    parent[n] = '\0';
    return check_directory(n == 0 ? "." : parent);
}

int maildir_check(const char *path)
{
    if (check_directory(path) == ENOENT)
        return check_parent(path);
    return for_each_folder(path, check_what_is_there);
}

void maildir_capabilities(struct capabilities *out)
{
    *out = (struct capabilities){
        .has_pipelining = true,
        .has_8bitmime = true,
        .has_smtputf8 = true,
        .has_enhanced_codes = true,
        .has_size = true,
    };
}

/* A part of a file's name: no slash, and no colon, behind which Maildirs keep
 * flags. */
static void copy_part(char to[PART_MAX + 1], struct str part)
{
    size_t n = part.n < PART_MAX ? part.n : PART_MAX;
    for (size_t i = 0; i < n; i++) {
        char c = part.p[i];
        bool is_plain = ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' ||
                        (c == '.' && i > 0);
        to[i] = is_plain ? c : '_';
    }
    to[n] = '\0';
}

void maildir_file_init(struct maildir_file *file, const char *path,
                       const struct maildir_name *name)
{
    char id[PART_MAX + 1], host[PART_MAX + 1];
    copy_part(id, name->id);
    copy_part(host, name->host);
    *file = (struct maildir_file){.path = path, .fd = -1};
    snprintf(file->name, sizeof(file->name), "%llu.M%06lluP%ldQ%llu%s.%s",
             (unsigned long long)(name->wall_us / 1000000),
             (unsigned long long)(name->wall_us % 1000000), (long)getpid(),
             (unsigned long long)name->sequence, id, host);
}

static int open_in_tmp(struct maildir_file *file)
{
    char path[PATH_MAX];
    int error = join(path, file->path, "tmp", file->name);
    if (error != 0)
        return error;
    file->fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0)
        return errno;
    file->is_in_tmp = true;
    return 0;
}

int maildir_file_write(struct maildir_file *file, struct str octets)
{
    if (!file->is_in_tmp) {
        int error = open_in_tmp(file);
        if (error != 0)
            return error;
    }
    while (octets.n > 0) {
        ssize_t n = write(file->fd, octets.p, octets.n);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0)
            octets = str_skip(octets, (size_t)n);
    }
    return 0;
}

static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return error;
}

static int close_synced(struct maildir_file *file)
{
    int error = fsync(file->fd) == 0 ? 0 : errno;
    if (close(file->fd) != 0 && error == 0)
        error = errno;
    file->fd = -1;
    return error;
}

int maildir_file_commit(struct maildir_file *file)
{
    char from[PATH_MAX], to[PATH_MAX], folder[PATH_MAX];
    int error = join(from, file->path, "tmp", file->name);
    if (error == 0)
        error = join(to, file->path, "new", file->name);
    if (error == 0)
        error = join(folder, file->path, "new", "");
    if (error == 0)
        error = close_synced(file);
    if (error == 0 && rename(from, to) != 0)
        error = errno;
    if (error != 0) {
        maildir_file_abandon(file);
        return error;
    }
    file->is_in_tmp = false;
    error = sync_directory(folder);
    /* The client will be told that it was not stored. */
    if (error != 0)
        unlink(to);
    return error;
}

void maildir_file_abandon(struct maildir_file *file)
{
    char path[PATH_MAX];
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    if (file->is_in_tmp && join(path, file->path, "tmp", file->name) == 0)
        unlink(path);
    file->is_in_tmp = false;
}
