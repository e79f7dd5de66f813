#include "proxy/log/log_tail.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_CAPACITY (64 * 1024)

void log_tail_init(struct log_tail *tail, const char *path)
{
    *tail = (struct log_tail){.path = path, .fd = -1};
}

static void close_file(struct log_tail *tail)
{
    if (tail->fd > STDERR_FILENO)
        close(tail->fd);
    tail->fd = -1;
}

void log_tail_release(struct log_tail *tail)
{
    close_file(tail);
    free(tail->buffer);
    log_tail_init(tail, tail->path);
}

static void restart(struct log_tail *tail)
{
    tail->offset = 0;
    tail->line = 0;
    tail->start = tail->end = 0;
    tail->is_skipping = tail->is_leaving = false;
}

int log_tail_open(struct log_tail *tail)
{
    struct stat status;
    int fd = STDIN_FILENO;
    if (strcmp(tail->path, "-") != 0)
        fd = open(tail->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -1;
    tail->fd = fd;
    restart(tail);
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        return 0;
    close_file(tail);
    errno = EISDIR;
    return -1;
}

static int make_room(struct log_tail *tail)
{
    if (tail->start > 0) {
        memmove(tail->buffer, tail->buffer + tail->start,
                tail->end - tail->start);
        tail->end -= tail->start;
        tail->start = 0;
    }
    if (tail->end < tail->capacity)
        return 0;
    size_t capacity = tail->capacity == 0 ? FIRST_CAPACITY : tail->capacity * 2;
    char *moved = realloc(tail->buffer, capacity);
    if (moved == NULL)
        return -1;
    tail->buffer = moved;
    tail->capacity = capacity;
    return 0;
}

/* 1: there is more in the buffer; 0: the end; -1: errno. */
static int fill(struct log_tail *tail)
{
    if (make_room(tail) != 0)
        return -1;
    ssize_t got;
    do
        got = read(tail->fd, tail->buffer + tail->end,
                   tail->capacity - tail->end);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return (int)got;
    tail->end += (size_t)got;
    tail->offset += got;
    return 1;
}

/* Reads on until a LF; what is overlong is dropped as it comes. */
static enum tail_next find_line_end(struct log_tail *tail, size_t *end)
{
    size_t searched = tail->start;
    for (;;) {
        struct str unread = {tail->buffer + searched, tail->end - searched};
        ptrdiff_t at = str_index(unread, '\n');
        if (at >= 0) {
            *end = searched + (size_t)at;
            return TAIL_LINE;
        }
        if (tail->is_skipping || tail->end - tail->start > LOG_TAIL_LINE_MAX) {
            tail->is_skipping = true;
            tail->start = tail->end;
        }
        size_t kept = tail->end - tail->start;
        int more = fill(tail);
        if (more <= 0)
            return more == 0 ? TAIL_END : TAIL_ERROR;
        searched = tail->start + kept;
    }
}

enum tail_next log_tail_next(struct log_tail *tail, struct str *line)
{
    size_t end = 0;
    assert(tail->fd >= 0);
    enum tail_next next = find_line_end(tail, &end);
    if (next != TAIL_LINE)
        return next;
    bool was_skipping = tail->is_skipping;
    tail->is_skipping = false;
    tail->line++;
    *line = str_span(tail->buffer + tail->start, end - tail->start);
    tail->start = end + 1;
    return was_skipping ? TAIL_OVERLONG : TAIL_LINE;
}

size_t log_tail_torn(const struct log_tail *tail)
{
    return tail->end - tail->start;
}

int log_tail_seek(struct log_tail *tail, off_t offset)
{
    restart(tail);
    tail->offset = offset;
    return lseek(tail->fd, offset, SEEK_SET) < 0 ? -1 : 0;
}

off_t log_tail_place(const struct log_tail *tail)
{
    return tail->offset - (off_t)(tail->end - tail->start);
}

int log_tail_skip_to_end(struct log_tail *tail, uint64_t octets)
{
    struct stat status;
    struct str rest;
    if (fstat(tail->fd, &status) != 0)
        return -1;
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size <= octets)
        return 0;
    /* From the octet before, in case a line begins right there. */
    if (log_tail_seek(tail, status.st_size - (off_t)octets - 1) != 0)
        return -1;
    return log_tail_next(tail, &rest) == TAIL_ERROR ? -1 : 0;
}

static size_t count_lines(struct str octets)
{
    size_t count = 0;
    ptrdiff_t at;
    while ((at = str_index(octets, '\n')) >= 0) {
        octets = str_skip(octets, (size_t)at + 1);
        count++;
    }
    return count;
}

int log_tail_near_end(struct log_tail *tail, uint64_t octets)
{
    struct stat status;
    if (fstat(tail->fd, &status) != 0)
        return -1;
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size <= octets)
        return 0;
    off_t wanted = status.st_size - (off_t)octets;
    size_t lines = 0;
    while (tail->offset < wanted) {
        tail->start = tail->end = 0;
        int more = fill(tail);
        if (more <= 0)
            return more;
        lines += count_lines(str_span(tail->buffer, tail->end));
    }
    /* The buffer was passed over too; the line it ends within is counted
     * when its LF comes, and dropped. */
    bool ends_whole = tail->buffer[tail->end - 1] == '\n';
    tail->start = tail->end = 0;
    tail->line = lines;
    struct str rest;
    enum tail_next next = ends_whole ? TAIL_LINE : log_tail_next(tail, &rest);
    return next == TAIL_ERROR ? -1 : 0;
}

/* Another file has the name by now. What was written to the old one in the
 * meantime is read out first. */
static bool follow_rotation(struct log_tail *tail, bool *is_new)
{
    if (!tail->is_leaving) {
        tail->is_leaving = true;
        return true;
    }
    close_file(tail);
    *is_new = log_tail_open(tail) == 0;
    return *is_new;
}

bool log_tail_follow(struct log_tail *tail, bool *is_new)
{
    struct stat named, ours;
    *is_new = false;
    if (tail->fd < 0) {
        *is_new = log_tail_open(tail) == 0;
        return *is_new;
    }
    if (fstat(tail->fd, &ours) != 0 || stat(tail->path, &named) != 0)
        return false;
    if (named.st_ino != ours.st_ino || named.st_dev != ours.st_dev)
        return follow_rotation(tail, is_new);
    if (ours.st_size >= tail->offset)
        return false;
    restart(tail);
    *is_new = true;
    return lseek(tail->fd, 0, SEEK_SET) == 0;
}
