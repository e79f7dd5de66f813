#include "proxy/http/mail_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/base/str.h"

#define ENTRIES_MAX (4 * MAIL_FOLDER_MAX)

static const char *const folders[] = {"new", "cur"};

static int open_folder(const char *maildir, const char *folder)
{
    int fd = open(maildir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int inner =
        openat(fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int error = errno;
    close(fd);
    errno = error;
    return inner;
}

/* Digits at *at, of which so many count. */
static uint64_t read_digits(const char **at, int most)
{
    uint64_t number = 0;
    for (; ascii_is_digit(**at); (*at)++)
        if (most-- > 0)
            number = number * 10 + (uint64_t)(**at - '0');
    return number;
}

/* 1764449020.M000123P…: seconds and microseconds. */
static struct mail_name name_of(const char *text, bool is_new)
{
    const char *at = text;
    struct mail_name name = {.is_new = is_new};
    name.seconds = read_digits(&at, 12);
    if (at != text && at[0] == '.' && at[1] == 'M') {
        at += 2;
        name.micros = (uint32_t)read_digits(&at, 6);
    }
    return name;
}

static int add(struct mail_folder *folder, const char *text, bool is_new)
{
    if ((folder->count & (folder->count - 1)) == 0) {
        size_t room = folder->count == 0 ? 1 : folder->count * 2;
        struct mail_name *grown =
            reallocarray(folder->items, room, sizeof *grown);
        if (grown == NULL)
            return ENOMEM;
        folder->items = grown;
    }
    struct mail_name item = name_of(text, is_new);
    item.name = strdup(text);
    if (item.name == NULL)
        return ENOMEM;
    folder->items[folder->count++] = item;
    return 0;
}

static int read_entries(struct mail_folder *folder, DIR *directory, bool is_new)
{
    const struct dirent *entry;
    for (size_t seen = 0; seen < ENTRIES_MAX; seen++) {
        errno = 0;
        entry = readdir(directory);
        if (entry == NULL)
            return errno;
        if (entry->d_name[0] == '.' ||
            (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN))
            continue;
        folder->has_more = folder->count == MAIL_FOLDER_MAX;
        if (folder->has_more)
            return 0;
        int error = add(folder, entry->d_name, is_new);
        if (error != 0)
            return error;
    }
    folder->has_more = true;
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct mail_name *a = left, *b = right;
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? 1 : -1;
    if (a->micros != b->micros)
        return a->micros < b->micros ? 1 : -1;
    return strcmp(b->name, a->name);
}

int mail_folder_read(struct mail_folder *folder, const char *maildir)
{
    *folder = (struct mail_folder){0};
    for (size_t i = 0; i < 2; i++) {
        int fd = open_folder(maildir, folders[i]);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        int error = errno;
        if (directory == NULL && fd >= 0)
            close(fd);
        if (directory != NULL) {
            error = read_entries(folder, directory, i == 0);
            closedir(directory);
        }
        if (error != 0)
            return error;
    }
    if (folder->count > 0)
        qsort(folder->items, folder->count, sizeof *folder->items, compare);
    return 0;
}

void mail_folder_release(struct mail_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->items[i].name);
    free(folder->items);
    *folder = (struct mail_folder){0};
}

static int open_in(const char *maildir, const char *folder, const char *name)
{
    int inner = open_folder(maildir, folder);
    if (inner < 0)
        return -1;
    int fd = openat(inner, name,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    int error = errno;
    close(inner);
    errno = error;
    return fd;
}

int mail_folder_open(const char *maildir, const char *name, uint64_t *octets)
{
    struct stat status;
    if (name[0] == '.' || name[0] == '\0' || strchr(name, '/') != NULL) {
        errno = ENOENT;
        return -1;
    }
    int fd = open_in(maildir, folders[0], name);
    if (fd < 0 && errno == ENOENT)
        fd = open_in(maildir, folders[1], name);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        *octets = (uint64_t)status.st_size;
        return fd;
    }
    close(fd);
    errno = ENOENT;
    return -1;
}
