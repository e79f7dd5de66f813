#include "proxy/log/log_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long a full pipe or terminal is waited for. */
#define SLOW_READER_MS 1000
/* And how often another process is looked at that has begun a line there. */
#define OTHER_WRITER_MS 10

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

int log_file_adopt(struct log_file *file, int fd)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &status) != 0)
        return -1;
    *file = (struct log_file){.fd = fd};
    if (S_ISSOCK(status.st_mode))
        file->kind = LOG_FILE_SOCKET;
    else if (!S_ISREG(status.st_mode))
        file->kind = LOG_FILE_STREAM;
    file->is_waiting =
        file->kind == LOG_FILE_STREAM && (flags & O_NONBLOCK) == 0;
    return 0;
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
    if (log_file_adopt(file, fd) != 0) {
        close(fd);
        return -1;
    }
    file->is_torn = ends_torn(path);
    return 0;
}

/* As write(), but never waits for a reader. */
static ssize_t put_some(const struct log_file *file, struct str octets)
{
    struct pollfd ready = {.fd = file->fd, .events = POLLOUT};
    if (file->kind == LOG_FILE_SOCKET)
        return send(file->fd, octets.p, octets.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (!file->is_waiting)
        return write(file->fd, octets.p, octets.n);
    /* A pipe that is ready takes as much without waiting. */
    if (poll(&ready, 1, 0) <= 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(file->fd, octets.p, octets.n < PIPE_BUF ? octets.n : PIPE_BUF);
}

/* Returns the octets written: all of them, or less with errno. */
static size_t write_all(const struct log_file *file, struct str octets)
{
    size_t done = 0;
    while (done < octets.n) {
        ssize_t put = put_some(file, str_skip(octets, done));
        if (put > 0) {
            done += (size_t)put;
            continue;
        }
        if (put == 0)
            errno = EIO;
        if (put < 0 && errno == EINTR)
            continue;
        struct pollfd wait = {.fd = file->fd, .events = POLLOUT};
        if (put < 0 && errno == EAGAIN && poll(&wait, 1, SLOW_READER_MS) > 0)
            continue;
        break;
    }
    return done;
}

/* What of `octets` ends with a LF. */
static size_t whole_lines(struct str octets)
{
    const char *last = memrchr(octets.p, '\n', octets.n);
    return last == NULL ? 0 : (size_t)(last + 1 - octets.p);
}

/* --- what can't be taken back --- */

static bool has_rest(const struct log_file *file)
{
    return file->rest != NULL;
}

static bool keep_rest(struct log_file *file, struct str rest)
{
    file->rest = malloc(rest.n);
    if (file->rest == NULL)
        return false;
    memcpy(file->rest, rest.p, rest.n);
    file->rest_length = rest.n;
    file->rest_done = 0;
    return true;
}

static void drop_rest(struct log_file *file)
{
    free(file->rest);
    file->rest = NULL;
}

static int write_rest(struct log_file *file)
{
    struct str rest = {file->rest, file->rest_length};
    file->rest_done += write_all(file, str_skip(rest, file->rest_done));
    if (file->rest_done < file->rest_length)
        return -1;
    drop_rest(file);
    return 0;
}

/* An old and a new worker process write to the same pipe for a while. The
 * kernel takes the claim back from a process that dies. Where nothing can be
 * claimed, lines that are longer than a pipe takes at once may mix. */
static int claim(const struct log_file *file, bool is_mine)
{
    struct flock claimed = {.l_type = is_mine ? F_WRLCK : F_UNLCK,
                            .l_whence = SEEK_SET};
    const struct timespec pause = {0, OTHER_WRITER_MS * 1000000L};
    for (int waited = 0; fcntl(file->fd, F_SETLK, &claimed) != 0;
         waited += OTHER_WRITER_MS) {
        if (errno != EAGAIN && errno != EACCES)
            return 0;
        errno = EAGAIN;
        if (waited >= SLOW_READER_MS)
            return -1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* The rest of the line in which `lines` were cut off is kept, so that it
 * counts as written. */
static size_t append_to_stream(struct log_file *file, struct str lines)
{
    size_t done = write_all(file, lines);
    if (done == 0 || done == lines.n || lines.p[done - 1] == '\n')
        return done;
    int error = errno;
    struct str cut = str_skip(lines, done);
    const char *end = memchr(cut.p, '\n', cut.n);
    cut = str_head(cut, (size_t)(end + 1 - cut.p));
    if (keep_rest(file, cut)) {
        done += cut.n;
    } else {
        file->is_torn = true;
        done = whole_lines(str_head(lines, done));
    }
    errno = error;
    return done;
}

static int close_torn_line(struct log_file *file)
{
    if (file->is_torn && write_all(file, STR("\n")) != 1)
        return -1;
    file->is_torn = false;
    return 0;
}

static size_t append_by_turns(struct log_file *file, struct str lines)
{
    if (!has_rest(file) && claim(file, true) != 0)
        return 0;
    size_t done = 0;
    if ((!has_rest(file) || write_rest(file) == 0) &&
        close_torn_line(file) == 0)
        done = append_to_stream(file, lines);
    int error = errno;
    if (!has_rest(file))
        (void)claim(file, false);
    errno = error;
    return done;
}

void log_file_close(struct log_file *file)
{
    if (has_rest(file))
        (void)write_rest(file);
    drop_rest(file);
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct log_file){.fd = -1};
}

/* --- files --- */

/* Takes back the octets that were appended last, unless another process has
 * appended behind them. */
static bool take_back(int fd, size_t octets)
{
    struct stat status;
    off_t end = lseek(fd, 0, SEEK_CUR);
    if (end < 0 || fstat(fd, &status) != 0 || status.st_size != end ||
        end < (off_t)octets)
        return false;
    /* What a shell has opened may not append by itself. */
    return ftruncate(fd, end - (off_t)octets) == 0 &&
           lseek(fd, end - (off_t)octets, SEEK_SET) >= 0;
}

static size_t append_to_file(struct log_file *file, struct str lines)
{
    if (close_torn_line(file) != 0)
        return 0;
    size_t done = write_all(file, lines);
    if (done == lines.n)
        return done;
    int error = errno;
    size_t whole = done == 0 ? 0 : whole_lines(str_head(lines, done));
    if (done > whole && !take_back(file->fd, done - whole))
        file->is_torn = true;
    errno = error;
    return whole;
}

size_t log_file_append(struct log_file *file, struct str lines)
{
    assert(lines.n > 0 && lines.p[lines.n - 1] == '\n');
    return file->kind == LOG_FILE_REGULAR ? append_to_file(file, lines)
                                          : append_by_turns(file, lines);
}
