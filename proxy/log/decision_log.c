#include "proxy/log/decision_log_internal.h"

#include "proxy/log/quiet_thread.h"
#include "proxy/log/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_OCTETS (8 * 1024 * 1024)

int decision_log_check(const struct log_settings *settings, struct diags *diags)
{
    const char *path = settings->decisions;
    if (path == NULL)
        return 0;
    struct stat status;
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    struct str named = slash == NULL   ? STR(".")
                       : slash == path ? STR("/")
                                       : str_span(path, length);
    const char *folder = arena_cstr(&arena, named);
    int result = -1;
    if (folder == NULL)
        diags_error(diags, settings->decisions_mark, "the path is too long");
    else if (stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        result = 0;
    else if (errno == EACCES)
        diags_error(diags, settings->decisions_mark,
                    "the folder %s can't be looked into: %s", folder,
                    strerror(errno));
    else
        diags_error(diags, settings->decisions_mark,
                    "the folder %s does not exist; create it or change "
                    "log.decisions",
                    folder);
    arena_release(&arena);
    return result;
}

static void release(struct decision_log *log)
{
    while (log->lanes != &log->common) {
        struct decision_lane *next = log->lanes->next;
        log_lane_release(&log->lanes->lines);
        free(log->lanes);
        log->lanes = next;
    }
    log_lane_release(&log->common.lines);
    log_file_close(&log->file);
    line_queue_release(&log->batch);
    entry_lines_free(log->text);
    entry_lines_free(log->own_text);
    pthread_cond_destroy(&log->work);
    pthread_mutex_destroy(&log->lock);
    free((char *)(uintptr_t)log->path);
    free(log);
}

static struct decision_log *make(const struct log_settings *settings,
                                 struct diags *diags)
{
    struct decision_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        diags_error(diags, settings->decisions_mark, "out of memory");
        return NULL;
    }
    log->file.fd = -1;
    log->common.log = log;
    log->lanes = &log->common;
    log_lane_init(&log->common.lines, QUEUE_OCTETS);
    line_queue_init(&log->batch, QUEUE_OCTETS);
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_t by_clock;
    pthread_condattr_init(&by_clock);
    pthread_condattr_setclock(&by_clock, CLOCK_MONOTONIC);
    pthread_cond_init(&log->work, &by_clock);
    pthread_condattr_destroy(&by_clock);
    return log;
}

/* A descriptor of its own, so that it is closed as a file is. */
static int open_stdout(struct decision_log *log, bool is_text)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (log_file_adopt(&log->file, fd) != 0) {
        close(fd);
        return -1;
    }
    if (!is_text)
        return 0;
    bool is_coloured = terminal_takes_colour(fd);
    log->text = entry_lines_new(is_coloured);
    log->own_text = entry_lines_new(is_coloured);
    return log->text == NULL || log->own_text == NULL ? -1 : 0;
}

static int open_where(struct decision_log *log,
                      const struct log_settings *settings)
{
    log->is_on_stdout = settings->is_on_stdout;
    log->is_strict = settings->is_strict;
    log->path =
        strdup(log->is_on_stdout ? "standard output" : settings->decisions);
    if (log->path == NULL)
        return -1;
    if (log->is_on_stdout)
        return open_stdout(log, settings->is_text);
    return log_file_open(&log->file, log->path);
}

struct decision_log *decision_log_new(const struct log_settings *settings,
                                      struct diags *diags)
{
    if (decision_log_check(settings, diags) != 0)
        return NULL;
    struct decision_log *log = make(settings, diags);
    if (log == NULL || (settings->decisions == NULL && !settings->is_on_stdout))
        return log;
    if (open_where(log, settings) != 0) {
        diags_error(diags, settings->decisions_mark,
                    "%s can't be opened for appending: %s",
                    log->path == NULL ? "log.decisions" : log->path,
                    strerror(errno));
    } else {
        int error = quiet_thread_start(&log->writer, decision_writer_run, log);
        if (error == 0)
            return log;
        diags_error(diags, settings->decisions_mark,
                    "the log's thread can't be started: %s", strerror(error));
    }
    release(log);
    return NULL;
}

void decision_log_report_to(struct decision_log *log, struct server_log *server)
{
    pthread_mutex_lock(&log->lock);
    log->server = server;
    pthread_mutex_unlock(&log->lock);
}

void decision_log_count_in(struct decision_log *log, _Atomic uint64_t *lines,
                           _Atomic uint64_t *lost)
{
    pthread_mutex_lock(&log->lock);
    log->lines = lines;
    log->losses = lost;
    pthread_mutex_unlock(&log->lock);
}

void decision_log_follow_a_crash(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->is_after_crash = log->is_on_stdout;
    pthread_mutex_unlock(&log->lock);
}

struct decision_lane *decision_log_lane(struct decision_log *log)
{
    struct decision_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->log = log;
    log_lane_init(&lane->lines, QUEUE_OCTETS);
    pthread_mutex_lock(&log->lock);
    lane->next = log->lanes;
    log->lanes = lane;
    pthread_mutex_unlock(&log->lock);
    return lane;
}

static void wake(struct decision_log *log, bool is_pressed)
{
    pthread_mutex_lock(&log->lock);
    log->is_pressed = log->is_pressed || is_pressed;
    atomic_store(&log->is_sleeping, false);
    pthread_mutex_unlock(&log->lock);
    pthread_cond_signal(&log->work);
}

static void push(struct decision_lane *lane, struct str line, bool is_sure)
{
    struct decision_log *log = lane->log;
    if (log->path == NULL)
        return;
    size_t waiting = log_lane_push(&lane->lines, line, is_sure);
    bool is_pressed = waiting >= GATHER_OCTETS;
    if (is_pressed || (waiting > 0 && atomic_load(&log->is_sleeping)))
        wake(log, is_pressed);
}

void decision_lane_write(struct decision_lane *lane, struct str line)
{
    push(lane, line, false);
}

void decision_lane_write_mail(struct decision_lane *lane, struct str line)
{
    push(lane, line, lane->log->is_strict);
}

bool decision_log_takes_mail(struct decision_log *log)
{
    return !log->is_strict || !atomic_load(&log->is_failing);
}

bool decision_lane_takes_mail(struct decision_lane *lane)
{
    struct decision_log *log = lane->log;
    return decision_log_takes_mail(log) &&
           !(log->is_strict && log_lane_is_over_half_full(&lane->lines));
}

void decision_log_write(struct decision_log *log, struct str line)
{
    decision_lane_write(&log->common, line);
}

void decision_log_reopen(struct decision_log *log)
{
    if (log->path == NULL || log->is_on_stdout)
        return;
    pthread_mutex_lock(&log->lock);
    log->is_reopening = true;
    pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
}

void decision_log_free(struct decision_log *log)
{
    if (log == NULL)
        return;
    if (log->path != NULL) {
        pthread_mutex_lock(&log->lock);
        log->is_ending = true;
        pthread_cond_signal(&log->work);
        pthread_mutex_unlock(&log->lock);
        pthread_join(log->writer, NULL);
    }
    release(log);
}
