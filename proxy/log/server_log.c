#include "proxy/log/server_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proxy/log/burst.h"
#include "proxy/log/printable.h"

#define LINE_MAX_OCTETS 1024
#define HEAD_ROOM 48 /* time and level, and the LF at the end */

struct server_log {
    char *path; /* owned; NULL: stderr */
    int fd;
    atomic_bool is_debug;
    pthread_mutex_t lock; /* over the burst and the order of lines */
    struct burst burst;
    _Atomic uint64_t *levels; /* NULL: nobody counts */
};

static const char *const level_words[] = {
    [SERVER_DEBUG] = "debug",
    [SERVER_INFO] = "info",
    [SERVER_WARNING] = "warning",
    [SERVER_ERROR] = "error",
};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                0640);
}

struct server_log *server_log_new(const struct log_settings *settings,
                                  struct diags *diags)
{
    const char *path = settings->server;
    const struct mark mark = {.file = path == NULL ? "log.server" : path};
    struct server_log *log = calloc(1, sizeof *log);
    if (log != NULL && path != NULL)
        log->path = strdup(path);
    if (log == NULL || (path != NULL && log->path == NULL)) {
        diags_error(diags, mark, "out of memory");
        free(log);
        return NULL;
    }
    log->fd = path == NULL ? STDERR_FILENO : open_file(path);
    atomic_init(&log->is_debug, settings->is_debug);
    pthread_mutex_init(&log->lock, NULL);
    burst_init(&log->burst);
    if (log->fd >= 0)
        return log;
    diags_error(diags, mark, "the server log can't be opened: %s",
                strerror(errno));
    server_log_free(log);
    return NULL;
}

static size_t put_head(char *out, size_t room, enum server_log_level level)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &tm) == NULL)
        tm = (struct tm){.tm_year = 70, .tm_mday = 1};
    size_t length = strftime(out, room, "%Y-%m-%dT%H:%M:%S", &tm);
    int more = snprintf(out + length, room - length, ".%03uZ %s ",
                        (unsigned)(now.tv_nsec / 1000000), level_words[level]);
    return length + (size_t)more;
}

/* A log that can't be written must not stop mail: what fails is dropped. */
static void write_line(struct server_log *log, enum server_log_level level,
                       struct str text)
{
    char line[LINE_MAX_OCTETS + HEAD_ROOM];
    size_t length = put_head(line, HEAD_ROOM, level);
    if (text.n > LINE_MAX_OCTETS - 1)
        text.n = LINE_MAX_OCTETS - 1;
    memcpy(line + length, text.p, text.n);
    length += text.n;
    line[length++] = '\n';
    for (size_t done = 0; done < length;) {
        ssize_t put = write(log->fd, line + done, length - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return;
        done += (size_t)put;
    }
}

static void write_sum(struct server_log *log, const struct burst_sum *sum)
{
    char text[LINE_MAX_OCTETS];
    int head =
        snprintf(text, sizeof text, "%" PRIu64 " more times: ", sum->count);
    size_t room = sizeof text - (size_t)head;
    size_t length = sum->text.n < room ? sum->text.n : room;
    memcpy(text + head, sum->text.p, length);
    write_line(log, (enum server_log_level)sum->level,
               str_span(text, (size_t)head + length));
}

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void write_sums(struct server_log *log, uint64_t now_ms, bool is_all)
{
    struct burst_sum sum;
    while (burst_next_sum(&log->burst, now_ms, is_all, &sum))
        write_sum(log, &sum);
}

void server_log_count_in(struct server_log *log, _Atomic uint64_t *levels)
{
    pthread_mutex_lock(&log->lock);
    log->levels = levels;
    pthread_mutex_unlock(&log->lock);
}

void server_log_set_debug(struct server_log *log, bool is_debug)
{
    atomic_store(&log->is_debug, is_debug);
}

void server_log_write(struct server_log *log, enum server_log_level level,
                      const char *format, ...)
{
    if (log == NULL ||
        (level == SERVER_DEBUG &&
         !atomic_load_explicit(&log->is_debug, memory_order_relaxed)))
        return;
    char raw[LINE_MAX_OCTETS];
    char text[LINE_MAX_OCTETS - HEAD_ROOM];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    if (length < 0)
        return;
    struct str said = {raw, strnlen(raw, sizeof raw)};
    said = str_span(text, printable(said, text, sizeof text));

    uint64_t now_ms = monotonic_ms();
    struct burst_sum evicted;
    pthread_mutex_lock(&log->lock);
    if (log->levels != NULL)
        atomic_fetch_add_explicit(&log->levels[level], 1, memory_order_relaxed);
    write_sums(log, now_ms, false);
    bool passes = burst_pass(&log->burst, now_ms, (int)level, said, &evicted);
    if (evicted.count > 0)
        write_sum(log, &evicted);
    if (passes)
        write_line(log, level, said);
    pthread_mutex_unlock(&log->lock);
}

void server_log_reopen(struct server_log *log)
{
    if (log == NULL || log->path == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    int fd = open_file(log->path);
    if (fd >= 0) {
        (void)dup3(fd, log->fd, O_CLOEXEC);
        close(fd);
    }
    pthread_mutex_unlock(&log->lock);
}

int server_log_descriptor(const struct server_log *log)
{
    return log->fd;
}

/* The old file is owned, stderr is not. */
static void close_file(struct server_log *log)
{
    if (log->path != NULL && log->fd >= 0)
        close(log->fd);
    free(log->path);
}

static bool is_at(const struct server_log *log, const char *path)
{
    return log->path == NULL || path == NULL ? log->path == path
                                             : strcmp(log->path, path) == 0;
}

void server_log_move(struct server_log *log, const char *path)
{
    if (log == NULL || is_at(log, path))
        return;
    char *copy = path == NULL ? NULL : strdup(path);
    int fd = path == NULL ? STDERR_FILENO : copy == NULL ? -1 : open_file(path);
    if (fd < 0) {
        server_log_write(log, SERVER_ERROR,
                         "the server log can't go on in %s: %s; it does here",
                         path, strerrordesc_np(errno));
        free(copy);
        return;
    }
    pthread_mutex_lock(&log->lock);
    close_file(log);
    log->path = copy;
    log->fd = fd;
    pthread_mutex_unlock(&log->lock);
}

void server_log_free(struct server_log *log)
{
    if (log == NULL)
        return;
    write_sums(log, 0, true);
    pthread_mutex_destroy(&log->lock);
    close_file(log);
    free(log);
}
