#include "proxy/budgets/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *beside(const char *path, const char *ending)
{
    char *name = NULL;
    return asprintf(&name, "%s%s", path, ending) < 0 ? NULL : name;
}

int journal_file_lock(struct journal_file *file, const char *path)
{
    *file = (struct journal_file){.lock_fd = -1, .fd = -1, .next_fd = -1};
    file->path = strdup(path);
    file->next_path = beside(path, ".tmp");
    file->bad_path = beside(path, ".bad");
    file->lock_path = beside(path, ".lock");
    if (file->path == NULL || file->next_path == NULL ||
        file->bad_path == NULL || file->lock_path == NULL)
        return -1;
    return journal_file_lock_again(file);
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int journal_file_lock_again(struct journal_file *file)
{
    if (file->lock_fd >= 0)
        return 0;
    int fd = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    file->lock_fd = fd;
    return 0;
}

void journal_file_unlock(struct journal_file *file)
{
    close_one(&file->fd);
    close_one(&file->next_fd);
    close_one(&file->lock_fd);
}

void journal_file_release(struct journal_file *file)
{
    journal_file_unlock(file);
    free(file->path);
    free(file->next_path);
    free(file->bad_path);
    free(file->lock_path);
    file->path = file->next_path = file->bad_path = file->lock_path = NULL;
}

const char *journal_file_reason(int error)
{
    return error == EWOULDBLOCK ? "another postern process is using it"
                                : strerrordesc_np(error);
}

int journal_file_open(const struct journal_file *file, int *fd)
{
    struct stat status;
    /* Whatever stands there, opening it must not wait. */
    *fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (fstat(*fd, &status) == 0 && S_ISREG(status.st_mode))
        return 0;
    int error = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    close_one(fd);
    errno = error;
    return -1;
}

int journal_file_keep_bad(const struct journal_file *file)
{
    if (unlink(file->bad_path) != 0 && errno != ENOENT)
        return -1;
    return link(file->path, file->bad_path);
}

/* Behind `size`, so that a piece of what failed is written over. */
static int write_at(int fd, uint64_t size, const uint8_t *octets, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t n =
            pwrite(fd, octets + done, count - done, (off_t)(size + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int error = errno;
            (void)!ftruncate(fd, (off_t)size);
            errno = error;
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

int journal_file_append(struct journal_file *file, const uint8_t *octets,
                        size_t count)
{
    if (write_at(file->fd, file->size, octets, count) != 0)
        return -1;
    file->size += count;
    file->is_unsynced = true;
    return 0;
}

int journal_file_sync(struct journal_file *file)
{
    if (!file->is_unsynced)
        return 0;
    file->is_unsynced = false;
    return fdatasync(file->fd);
}

int journal_file_begin_next(struct journal_file *file)
{
    file->next_size = 0;
    /* One that a crash left may have another's mode or be a link. */
    if (unlink(file->next_path) != 0 && errno != ENOENT)
        return -1;
    file->next_fd =
        open(file->next_path,
             O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return file->next_fd < 0 ? -1 : 0;
}

int journal_file_append_next(struct journal_file *file, const uint8_t *octets,
                             size_t count)
{
    if (write_at(file->next_fd, file->next_size, octets, count) != 0)
        return -1;
    file->next_size += count;
    return 0;
}

void journal_file_drop_next(struct journal_file *file)
{
    if (file->next_fd < 0)
        return;
    close_one(&file->next_fd);
    unlink(file->next_path);
}

/* The name itself must survive a crash of the machine too. */
static void sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    char *name =
        slash == NULL ? strdup(".") : strndup(path, length == 0 ? 1 : length);
    int fd = name == NULL ? -1 : open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(name);
}

int journal_file_adopt_next(struct journal_file *file)
{
    if (fsync(file->next_fd) != 0 || rename(file->next_path, file->path) != 0)
        return -1;
    sync_directory(file->path);
    close_one(&file->fd);
    file->fd = file->next_fd;
    file->next_fd = -1;
    file->size = file->first_size = file->next_size;
    file->is_unsynced = false;
    return 0;
}
