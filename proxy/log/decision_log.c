#include "proxy/log/decision_log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "proxy/log/json_line.h"
#include "proxy/log/line_queue.h"
#include "proxy/log/log_file.h"

#define QUEUE_OCTETS (8 * 1024 * 1024)
#define OWN_LINE_MAX 512

struct decision_log {
    const char *path; /* owned; NULL: lines are dropped */
    pthread_t writer;
    pthread_mutex_t lock; /* over all below but the file */
    pthread_cond_t work;
    struct line_queue queue;
    uint64_t lost; /* not told yet */
    bool is_reopening;
    bool is_ending;
    struct server_log *server; /* NULL: nobody hears of failures */
    struct log_file file;      /* the writer's, as is what follows */
    bool is_failing;
};

/* What the writer does next. */
struct task {
    struct queued_line *line; /* NULL: nothing to write */
    bool is_reopening;
    uint64_t lost;
    struct server_log *server;
    bool is_ending; /* nobody writes any more */
    bool is_end;
};

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

static uint64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A line of the log about itself: what was lost, or (error not NULL) why it
 * could not be opened anew. */
static int tell(struct log_file *file, uint64_t lost, const char *error)
{
    struct json_line line;
    json_line_init(&line, OWN_LINE_MAX);
    json_open_object(&line, NULL);
    json_time(&line, "time", wall_us());
    json_text(&line, "event", STR("log"));
    if (error == NULL)
        json_number(&line, "lost", lost);
    else
        json_text(&line, "not_reopened", str_from(error));
    json_close_object(&line);
    struct str text = json_line_end(&line);
    int result = text.n == 0 ? -1 : log_file_append(file, text);
    json_line_release(&line);
    return result;
}

static struct task wait_for_task(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    while (log->queue.first == NULL && !log->is_reopening && !log->is_ending)
        pthread_cond_wait(&log->work, &log->lock);
    struct task task = {
        .line = line_queue_take(&log->queue),
        .is_reopening = log->is_reopening,
        .lost = log->lost,
        .server = log->server,
        .is_ending = log->is_ending,
    };
    task.is_end = task.line == NULL && log->is_ending;
    log->is_reopening = false;
    pthread_mutex_unlock(&log->lock);
    return task;
}

static void count_lost(struct decision_log *log, uint64_t lost, uint64_t told)
{
    pthread_mutex_lock(&log->lock);
    log->lost = log->lost + lost - told;
    pthread_mutex_unlock(&log->lock);
}

/* When the new file can't be had the old one goes on, and says so. */
static void reopen(struct decision_log *log)
{
    struct log_file fresh;
    if (log_file_open(&fresh, log->path) != 0) {
        tell(&log->file, 0, strerror(errno));
        return;
    }
    log_file_close(&log->file);
    log->file = fresh;
}

/* A full disk is told where somebody may see it: once, and its end. */
static void report(struct decision_log *log, const struct task *task, int error)
{
    if (error != 0 && !log->is_failing)
        server_log_write(task->server, SERVER_ERROR,
                         "%s can't be written, decisions are lost: %s",
                         log->path, strerror(error));
    else if (error == 0 && log->is_failing)
        server_log_write(task->server, SERVER_WARNING, "%s is written again",
                         log->path);
    log->is_failing = error != 0;
}

/* What was lost before, then the line; false: this one is lost as well. */
static bool write_task(struct decision_log *log, const struct task *task)
{
    if (task->lost > 0) {
        if (tell(&log->file, task->lost, NULL) != 0)
            return false;
        count_lost(log, 0, task->lost);
    }
    struct str text = {task->line->text, task->line->length};
    return log_file_append(&log->file, text) == 0;
}

static void *write_lines(void *argument)
{
    struct decision_log *log = argument;
    for (;;) {
        struct task task = wait_for_task(log);
        if (task.is_reopening)
            reopen(log);
        if (task.is_end && task.lost > 0)
            tell(&log->file, task.lost, NULL);
        if (task.line != NULL) {
            bool is_lost = !write_task(log, &task);
            report(log, &task, is_lost ? errno : 0);
            if (is_lost)
                count_lost(log, 1, 0);
            free(task.line);
            /* A stop does not wait for a pipe that nobody reads, a second for
             * each line of the queue. */
            if (is_lost && task.is_ending)
                return NULL;
        }
        if (task.is_end)
            return NULL;
    }
}

/* Signals belong to the loops; SIGPIPE and SIGXFSZ must be errors here. */
static int start_writer(struct decision_log *log)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&log->writer, NULL, write_lines, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void release(struct decision_log *log)
{
    log_file_close(&log->file);
    line_queue_release(&log->queue);
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
    line_queue_init(&log->queue, QUEUE_OCTETS);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->work, NULL);
    return log;
}

struct decision_log *decision_log_new(const struct log_settings *settings,
                                      struct diags *diags)
{
    if (decision_log_check(settings, diags) != 0)
        return NULL;
    struct decision_log *log = make(settings, diags);
    if (log == NULL || settings->decisions == NULL)
        return log;
    log->path = strdup(settings->decisions);
    if (log->path == NULL || log_file_open(&log->file, log->path) != 0) {
        diags_error(diags, settings->decisions_mark,
                    "%s can't be opened for appending: %s", settings->decisions,
                    strerror(errno));
    } else {
        int error = start_writer(log);
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

void decision_log_write(struct decision_log *log, struct str line)
{
    if (log->path == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    if (line.n == 0 || line_queue_push(&log->queue, line) != 0)
        log->lost++;
    else
        pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
}

void decision_log_reopen(struct decision_log *log)
{
    if (log->path == NULL)
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
