#include "proxy/budgets/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxy/budgets/journal_restore.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/log/server_log.h"

#define COLLECT_MS 100

struct journal {
    struct journal_writer writer; /* and the ledger, which is owned here */
    bool is_kept;                 /* there is a file, and a thread */
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t wake;
    bool has_changes, is_urgent, is_stopping;
};

/* --- the thread --- */

static void on_change(void *owner, bool is_urgent)
{
    struct journal *journal = owner;
    pthread_mutex_lock(&journal->lock);
    journal->has_changes = true;
    if (is_urgent)
        journal->is_urgent = true;
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
}

static struct timespec in_ms(uint64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Until there is a change, and then a little longer to collect more. */
static bool await_work(struct journal *journal, bool *is_urgent)
{
    struct timespec at = in_ms(journal_writer_idle_ms(&journal->writer));
    int rc = 0;
    pthread_mutex_lock(&journal->lock);
    while (!journal->has_changes && !journal->is_stopping && rc == 0)
        rc = pthread_cond_timedwait(&journal->wake, &journal->lock, &at);
    at = in_ms(COLLECT_MS);
    rc = journal->has_changes ? 0 : ETIMEDOUT;
    while (!journal->is_urgent && !journal->is_stopping && rc == 0)
        rc = pthread_cond_timedwait(&journal->wake, &journal->lock, &at);
    *is_urgent = journal->is_urgent || journal->is_stopping;
    journal->has_changes = journal->is_urgent = false;
    bool goes_on = !journal->is_stopping;
    pthread_mutex_unlock(&journal->lock);
    return goes_on;
}

static void *write_on(void *argument)
{
    struct journal *journal = argument;
    bool is_urgent, goes_on = true;
    while (goes_on) {
        goes_on = await_work(journal, &is_urgent);
        journal_writer_flush(&journal->writer, is_urgent);
    }
    /* One more attempt: there will be no other. */
    if (journal->writer.is_failing)
        (void)journal_writer_renew(&journal->writer);
    return NULL;
}

static int init_waiting(struct journal *journal)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return -1;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(&journal->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return rc == 0 && pthread_mutex_init(&journal->lock, NULL) == 0 ? 0 : -1;
}

/* --- opening --- */

/* Only what is above the file, and only where it was asked for. */
static void make_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = slash == NULL || slash == path
                     ? NULL
                     : strndup(path, (size_t)(slash - path));
    if (name != NULL)
        (void)mkdir(name, 0700);
    free(name);
}

static int open_state(struct journal *journal, const char *path,
                      size_t max_keys)
{
    struct journal_writer *writer = &journal->writer;
    int fd = -1;
    if (journal_file_lock(&writer->file, path) != 0 ||
        journal_file_open(&writer->file, &fd) != 0)
        return -1;
    int result = journal_restore(writer, max_keys, fd);
    if (fd >= 0)
        close(fd);
    if (result != 0)
        return -1;
    shared_ledger_watch(writer->ledger, on_change, journal);
    /* A disk that is full will have room again; mail does not wait. */
    if (journal_writer_renew(writer) != 0 && errno != ENOSPC &&
        errno != EDQUOT && errno != EIO)
        return -1;
    int rc = pthread_create(&journal->thread, NULL, write_on, journal);
    if (rc != 0) {
        errno = rc;
        return -1;
    }
    journal->is_kept = true;
    return 0;
}

/* What open_state() had made before it failed. */
static void abandon(struct journal *journal)
{
    int error = errno;
    shared_ledger_free(journal->writer.ledger);
    journal->writer.ledger = NULL;
    journal_file_release(&journal->writer.file);
    errno = error;
}

static const char *reason(int error)
{
    return error == EWOULDBLOCK ? "another postern process is using it"
                                : strerrordesc_np(error);
}

static int open_memory(struct journal *journal, size_t max_keys,
                       struct diags *diags,
                       const struct limits_settings *limits)
{
    journal->writer.ledger = shared_ledger_new(max_keys);
    if (journal->writer.ledger != NULL)
        return 0;
    diags_error(diags, limits->state_mark,
                "there is no memory for the budgets");
    return -1;
}

static int open_ledger(struct journal *journal,
                       const struct limits_settings *limits, size_t max_keys,
                       struct diags *diags)
{
    bool is_default = limits->state_mark.line == 0;
    if (limits->state == NULL)
        return open_memory(journal, max_keys, diags, limits);
    if (!is_default)
        make_directory(limits->state);
    if (open_state(journal, limits->state, max_keys) == 0)
        return 0;
    abandon(journal);
    if (!is_default) {
        diags_error(diags, limits->state_mark,
                    "the limits' state %s can't be used: %s", limits->state,
                    reason(errno));
        return -1;
    }
    server_log_write(journal->writer.log,
                     errno == EWOULDBLOCK ? SERVER_WARNING : SERVER_INFO,
                     "budgets and dynamic lists are kept in memory only and "
                     "end with this process: %s can't be used: %s",
                     limits->state, reason(errno));
    return open_memory(journal, max_keys, diags, limits);
}

struct journal *journal_open(const struct limits_settings *limits,
                             size_t max_keys, struct server_log *log,
                             struct diags *diags)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL || init_waiting(journal) != 0) {
        diags_error(diags, limits->state_mark, "out of memory");
        free(journal);
        return NULL;
    }
    journal->writer.log = log;
    journal->writer.file.lock_fd = -1;
    journal->writer.file.fd = journal->writer.file.next_fd = -1;
    if (open_ledger(journal, limits, max_keys, diags) == 0)
        return journal;
    journal_close(journal);
    return NULL;
}

struct shared_ledger *journal_ledger(struct journal *journal)
{
    return journal->writer.ledger;
}

static void stop_thread(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_stopping = true;
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
    pthread_join(journal->thread, NULL);
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->is_kept)
        stop_thread(journal);
    shared_ledger_free(journal->writer.ledger);
    journal_file_release(&journal->writer.file);
    explicit_bzero(journal->writer.secret, sizeof journal->writer.secret);
    pthread_cond_destroy(&journal->wake);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}

uint64_t journal_failures(const struct journal *journal)
{
    return atomic_load(&journal->writer.failures);
}
