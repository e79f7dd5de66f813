/* The one thread that writes the decision log. */
#include "proxy/log/decision_log_internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "proxy/log/json_line.h"

#define OWN_LINE_MAX 512
/* Lines that come within this time of a write wait for one another: under
 * load one wake-up and one write serve many. */
#define GATHER_MS 5
/* What a strict log could not write is tried again after that long. */
#define RETRY_MS 1000

/* What the writer does next, beside writing what waits. */
struct task {
    struct decision_lane *lanes;
    bool is_reopening;
    bool is_after_crash;
    struct server_log *server;
    _Atomic uint64_t *lines, *losses;
    bool is_ending; /* nobody writes any more */
};

static uint64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* As they are to stand in the log. Empty when out of memory. */
static struct str shown_by(struct entry_lines *text, struct str lines)
{
    return text == NULL || lines.n == 0 ? lines
                                        : entry_lines_shown(text, lines);
}

/* A line of the log about itself: what was lost, or (error not NULL) why it
 * could not be opened anew. */
static int tell(struct decision_log *log, uint64_t lost, const char *error)
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
    struct str text = shown_by(log->own_text, json_line_end(&line));
    bool is_written = text.n > 0 && log_file_append(&log->file, text) == text.n;
    json_line_release(&line);
    return is_written ? 0 : -1;
}

static bool is_urgent(const struct decision_log *log)
{
    return log->is_reopening || log->is_ending || log->is_pressed;
}

static struct timespec after_ms(long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return until;
}

/* Meanwhile nobody need wake the writer. */
static void gather(struct decision_log *log)
{
    const struct timespec until = after_ms(GATHER_MS);
    while (!is_urgent(log) &&
           pthread_cond_timedwait(&log->work, &log->lock, &until) == 0)
        continue;
}

static bool are_empty(struct decision_lane *lanes)
{
    while (lanes != NULL && log_lane_is_empty(&lanes->lines))
        lanes = lanes->next;
    return lanes == NULL;
}

/* Whoever pushes a line behind are_empty() sees that the writer sleeps. */
static void sleep_until_woken(struct decision_log *log)
{
    atomic_store(&log->is_sleeping, true);
    while (atomic_load(&log->is_sleeping) && !is_urgent(log) &&
           are_empty(log->lanes))
        pthread_cond_wait(&log->work, &log->lock);
    atomic_store(&log->is_sleeping, false);
}

static struct task wait_for_task(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    gather(log);
    sleep_until_woken(log);
    struct task task = {
        .lanes = log->lanes,
        .is_reopening = log->is_reopening,
        .is_after_crash = log->is_after_crash,
        .server = log->server,
        .lines = log->lines,
        .losses = log->losses,
        .is_ending = log->is_ending,
    };
    log->is_reopening = log->is_pressed = log->is_after_crash = false;
    pthread_mutex_unlock(&log->lock);
    return task;
}

/* When the new file can't be had the old one goes on, and says so. */
static void reopen(struct decision_log *log)
{
    struct log_file fresh;
    if (log_file_open(&fresh, log->path) != 0) {
        tell(log, 0, strerror(errno));
        return;
    }
    log_file_close(&log->file);
    log->file = fresh;
}

/* A full disk is told where somebody may see it: once, and its end. */
static void report(struct decision_log *log, const struct task *task, int error)
{
    bool was_failing = atomic_exchange(&log->is_failing, error != 0);
    if (error != 0 && !was_failing)
        server_log_write(task->server, SERVER_ERROR,
                         "%s can't be written, %s: %s", log->path,
                         log->is_strict ? "new mail is deferred (log.strict)"
                                        : "decisions are lost",
                         strerror(error));
    else if (error == 0 && was_failing)
        server_log_write(task->server, SERVER_WARNING, "%s is written again",
                         log->path);
}

static void count(_Atomic uint64_t *number, uint64_t amount)
{
    if (number != NULL && amount > 0)
        atomic_fetch_add_explicit(number, amount, memory_order_relaxed);
}

static uint64_t lines_in(struct str lines)
{
    uint64_t count = 0;
    const char *end;
    while (lines.n > 0 && (end = memchr(lines.p, '\n', lines.n)) != NULL) {
        lines = str_skip(lines, (size_t)(end + 1 - lines.p));
        count++;
    }
    return count;
}

static void lose(struct decision_log *log, const struct task *task,
                 uint64_t lines)
{
    log->lost += lines;
    count(task->losses, lines);
}

static struct str behind_first_line(struct str lines)
{
    const char *end = memchr(lines.p, '\n', lines.n);
    return str_skip(lines, (size_t)(end + 1 - lines.p));
}

/* By now: the batch may have been in hand for long. */
static bool is_to_end(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    bool is_ending = log->is_ending;
    pthread_mutex_unlock(&log->lock);
    return is_ending;
}

/* A moment later, or once somebody has made room and had the file reopened. */
static void wait_for_retry(struct decision_log *log)
{
    const struct timespec until = after_ms(RETRY_MS);
    pthread_mutex_lock(&log->lock);
    while (!log->is_reopening && !log->is_ending &&
           pthread_cond_timedwait(&log->work, &log->lock, &until) == 0)
        continue;
    bool is_reopening = log->is_reopening;
    log->is_reopening = false;
    pthread_mutex_unlock(&log->lock);
    if (is_reopening)
        reopen(log);
}

/* What was lost before, then the lines; behind one that failed a strict log
 * waits, another goes on with the next. False: it must end here, since a stop
 * does not wait for a pipe that nobody reads, a second for each line. */
static bool write_lines(struct decision_log *log, const struct task *task,
                        struct str lines)
{
    while (lines.n > 0) {
        if (log->lost > 0 && tell(log, log->lost, NULL) == 0)
            log->lost = 0;
        size_t done = log->lost == 0 ? log_file_append(&log->file, lines) : 0;
        report(log, task, done == lines.n ? 0 : errno);
        if (task->lines != NULL)
            count(task->lines, lines_in(str_head(lines, done)));
        lines = str_skip(lines, done);
        if (lines.n == 0)
            break;
        if (is_to_end(log)) {
            lose(log, task, lines_in(lines));
            return false;
        }
        if (log->is_strict) {
            wait_for_retry(log);
            continue;
        }
        lines = behind_first_line(lines);
        lose(log, task, 1);
    }
    return true;
}

static bool write_batch(struct decision_log *log, const struct task *task)
{
    struct str lines = line_queue_lines(&log->batch);
    struct str text = shown_by(log->text, lines);
    if (text.n == 0)
        lose(log, task, lines_in(lines));
    if (!write_lines(log, task, text))
        return false;
    line_queue_clear(&log->batch);
    return true;
}

/* Nobody reads the log's own line about it any more. */
static void tell_at_the_end(struct decision_log *log, const struct task *task)
{
    server_log_write(task->server, SERVER_ERROR,
                     "%s: %llu decisions are lost: it could not be written to "
                     "the end",
                     log->path, (unsigned long long)log->lost);
}

/* What has come to the lanes since is not written either. */
static void give_up(struct decision_log *log, const struct task *task)
{
    for (struct decision_lane *lane = task->lanes; lane != NULL;
         lane = lane->next) {
        line_queue_clear(&log->batch);
        lose(log, task, log_lane_take(&lane->lines, &log->batch));
        lose(log, task, lines_in(line_queue_lines(&log->batch)));
    }
    tell_at_the_end(log, task);
}

void *decision_writer_run(void *argument)
{
    struct decision_log *log = argument;
    for (;;) {
        struct task task = wait_for_task(log);
        if (task.is_reopening)
            reopen(log);
        log->file.is_torn = log->file.is_torn || task.is_after_crash;
        for (struct decision_lane *lane = task.lanes; lane != NULL;
             lane = lane->next) {
            lose(log, &task, log_lane_take(&lane->lines, &log->batch));
            if (!write_batch(log, &task)) {
                give_up(log, &task);
                return NULL;
            }
        }
        if (task.is_ending && log->lost > 0 && tell(log, log->lost, NULL) != 0)
            tell_at_the_end(log, &task);
        if (task.is_ending)
            return NULL;
    }
}
