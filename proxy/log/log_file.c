#include "proxy/log/log_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a full pipe or terminal is waited for. */
#define SLOW_READER_MS 1000

/* A crash or a full disk may have left half a line. */
static bool ends_torn(const char *path)
{
    struct stat status;
    char last = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size > 0 && pread(fd, &last, 1, status.st_size - 1) != 1)
        last = '\n';
    close(fd);
    return last != '\n';
}

int log_file_open(struct log_file *file, const char *path)
{
    /* O_NONBLOCK changes nothing for files; a pipe that nobody reads must
     * not stop the server. */
    int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        0640);
    if (fd < 0)
        return -1;
    *file = (struct log_file){.fd = fd, .is_torn = ends_torn(path)};
    return 0;
}

void log_file_close(struct log_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct log_file){.fd = -1};
}

/* Returns the octets written: all of them, or less with errno. */
static size_t write_all(int fd, struct str octets)
{
    size_t done = 0;
    while (done < octets.n) {
        ssize_t put = write(fd, octets.p + done, octets.n - done);
        if (put > 0) {
            done += (size_t)put;
            continue;
        }
        if (put == 0)
            errno = EIO;
        if (put < 0 && errno == EINTR)
            continue;
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (put < 0 && errno == EAGAIN && poll(&wait, 1, SLOW_READER_MS) > 0)
            continue;
        break;
    }
    return done;
}

/* Takes back the octets that were appended last, unless another process has
 * appended behind them. */
static bool take_back(int fd, size_t octets)
{
    struct stat status;
    off_t end = lseek(fd, 0, SEEK_CUR);
    if (end < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size != end || end < (off_t)octets)
        return false;
    return ftruncate(fd, end - (off_t)octets) == 0;
}

/* What of `octets` ends with a LF. */
static size_t whole_lines(struct str octets)
{
    const char *last = memrchr(octets.p, '\n', octets.n);
    return last == NULL ? 0 : (size_t)(last + 1 - octets.p);
}

size_t log_file_append(struct log_file *file, struct str lines)
{
    assert(lines.n > 0 && lines.p[lines.n - 1] == '\n');
    if (file->is_torn && write_all(file->fd, STR("\n")) != 1)
        return 0;
    file->is_torn = false;
    size_t done = write_all(file->fd, lines);
    if (done == lines.n)
        return done;
    int error = errno;
    size_t whole = done == 0 ? 0 : whole_lines(str_head(lines, done));
    if (done > whole && !take_back(file->fd, done - whole))
        file->is_torn = true;
    errno = error;
    return whole;
}
