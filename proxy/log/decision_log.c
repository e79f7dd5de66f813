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
/* Lines that come within this time of a write wait for one another: under
 * load one wake-up and one write serve many. */
#define GATHER_MS 5
#define GATHER_OCTETS ((size_t)512 * 1024)

struct decision_log {
    const char *path; /* owned; NULL: lines are dropped */
    pthread_t writer;
    pthread_mutex_t lock; /* over all below but the file */
    pthread_cond_t work;
    struct line_queue queue;
    uint64_t lost;    /* not told yet */
    bool is_sleeping; /* the writer, until it is woken */
    bool is_reopening;
    bool is_ending;
    struct server_log *server; /* NULL: nobody hears of failures */
    struct log_file file;      /* the writer's, as is what follows */
    struct line_queue batch;
    bool is_failing;
};

/* What the writer does next. */
struct task {
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
    bool is_written = text.n > 0 && log_file_append(file, text) == text.n;
    json_line_release(&line);
    return is_written ? 0 : -1;
}

static bool is_urgent(const struct decision_log *log)
{
    return log->is_reopening || log->is_ending ||
           log->queue.used >= GATHER_OCTETS;
}

/* Meanwhile nobody need wake the writer. */
static void gather(struct decision_log *log)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GATHER_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (!is_urgent(log) &&
           pthread_cond_timedwait(&log->work, &log->lock, &until) == 0)
        continue;
}

static struct task wait_for_task(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    gather(log);
    while (log->queue.used == 0 && !is_urgent(log)) {
        log->is_sleeping = true;
        pthread_cond_wait(&log->work, &log->lock);
    }
    log->is_sleeping = false;
    line_queue_move(&log->queue, &log->batch);
    struct task task = {
        .is_reopening = log->is_reopening,
        .lost = log->lost,
        .server = log->server,
        .is_ending = log->is_ending,
    };
    task.is_end = log->batch.used == 0 && log->is_ending;
    log->lost = 0;
    log->is_reopening = false;
    pthread_mutex_unlock(&log->lock);
    return task;
}

static void count_lost(struct decision_log *log, uint64_t lost)
{
    pthread_mutex_lock(&log->lock);
    log->lost += lost;
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

static struct str behind_first_line(struct str lines)
{
    const char *end = memchr(lines.p, '\n', lines.n);
    return str_skip(lines, (size_t)(end + 1 - lines.p));
}

/* What was lost before, then the lines, those behind one that failed too. A
 * stop does not wait for a pipe that nobody reads, a second for each. */
static void write_batch(struct decision_log *log, const struct task *task)
{
    struct str lines = line_queue_lines(&log->batch);
    uint64_t untold = task->lost;
    while (lines.n > 0) {
        if (untold > 0 && tell(&log->file, untold, NULL) == 0)
            untold = 0;
        size_t done = untold == 0 ? log_file_append(&log->file, lines) : 0;
        report(log, task, done == lines.n ? 0 : errno);
        lines = str_skip(lines, done);
        if (lines.n == 0)
            break;
        lines = behind_first_line(lines);
        untold++;
        if (task->is_ending)
            break;
    }
    if (untold > 0)
        count_lost(log, untold);
    line_queue_clear(&log->batch);
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
        write_batch(log, &task);
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
    line_queue_release(&log->batch);
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
    line_queue_init(&log->batch, QUEUE_OCTETS);
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_t by_clock;
    pthread_condattr_init(&by_clock);
    pthread_condattr_setclock(&by_clock, CLOCK_MONOTONIC);
    pthread_cond_init(&log->work, &by_clock);
    pthread_condattr_destroy(&by_clock);
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
    bool must_wake = log->queue.used > 0 &&
                     (log->is_sleeping || log->queue.used >= GATHER_OCTETS);
    log->is_sleeping = log->is_sleeping && !must_wake;
    pthread_mutex_unlock(&log->lock);
    if (must_wake)
        pthread_cond_signal(&log->work);
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
