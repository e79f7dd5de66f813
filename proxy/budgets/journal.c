#include "proxy/budgets/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/budgets/journal_restore.h"
#include "proxy/budgets/journal_thread.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/log/server_log.h"

struct journal {
    struct journal_writer writer; /* and the ledger, which is owned here */
    struct journal_thread thread; /* runs while there is a file to keep */
    bool is_retired;              /* there was one */
};

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

static struct journal *prepare(const struct limits_settings *limits,
                               struct server_log *log, struct diags *diags)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        diags_error(diags, limits->state_mark, "out of memory");
        return NULL;
    }
    journal->writer.log = log;
    journal->writer.file.lock_fd = -1;
    journal->writer.file.fd = journal->writer.file.next_fd = -1;
    return journal;
}

static int open_state(struct journal *journal, const char *path,
                      size_t max_keys, unsigned slot)
{
    struct journal_writer *writer = &journal->writer;
    int fd = -1;
    if (journal_file_lock(&writer->file, path) != 0 ||
        journal_file_open(&writer->file, &fd) != 0)
        return -1;
    int result = journal_restore(writer, max_keys, slot, fd);
    if (fd >= 0)
        close(fd);
    if (result != 0)
        return -1;
    shared_ledger_watch(writer->ledger);
    /* A disk that is full will have room again; mail does not wait. */
    if (journal_writer_renew(writer) != 0 && errno != ENOSPC &&
        errno != EDQUOT && errno != EIO)
        return -1;
    return journal_thread_start(&journal->thread, &journal->writer);
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

static int open_memory(struct journal *journal, size_t max_keys, unsigned slot,
                       struct diags *diags,
                       const struct limits_settings *limits)
{
    struct journal_writer *writer = &journal->writer;
    if (getrandom(writer->secret, sizeof writer->secret, 0) ==
        (ssize_t)sizeof writer->secret)
        writer->ledger =
            shared_ledger_create(max_keys, writer->secret, 0, slot);
    if (writer->ledger != NULL)
        return 0;
    diags_error(diags, limits->state_mark,
                "there is no memory for the budgets: %s%s",
                strerrordesc_np(errno),
                errno == EFBIG ? " (the limit on the size of files, ulimit -f, "
                                 "is too low)"
                               : "");
    return -1;
}

/* A default that can't be used. */
static void tell_memory_only(const struct journal *journal, const char *path)
{
    server_log_write(journal->writer.log,
                     errno == EWOULDBLOCK ? SERVER_WARNING : SERVER_INFO,
                     "budgets and dynamic lists are kept in memory only and "
                     "end with this process: %s can't be used: %s",
                     path, journal_file_reason(errno));
}

static int open_ledger(struct journal *journal,
                       const struct limits_settings *limits, size_t max_keys,
                       unsigned slot, struct diags *diags)
{
    bool is_default = limits->state_mark.line == 0;
    if (limits->state == NULL)
        return open_memory(journal, max_keys, slot, diags, limits);
    if (!is_default)
        make_directory(limits->state);
    if (open_state(journal, limits->state, max_keys, slot) == 0)
        return 0;
    abandon(journal);
    if (!is_default) {
        diags_error(diags, limits->state_mark,
                    "the limits' state %s can't be used: %s", limits->state,
                    journal_file_reason(errno));
        return -1;
    }
    tell_memory_only(journal, limits->state);
    return open_memory(journal, max_keys, slot, diags, limits);
}

struct journal *journal_open(const struct limits_settings *limits,
                             size_t max_keys, unsigned slot,
                             struct server_log *log, struct diags *diags)
{
    struct journal *journal = prepare(limits, log, diags);
    if (journal == NULL)
        return NULL;
    if (open_ledger(journal, limits, max_keys, slot, diags) == 0)
        return journal;
    journal_close(journal);
    return NULL;
}

/* --- handing over --- */

static int attach(struct journal *journal, int memory, int event, unsigned slot,
                  struct diags *diags, const struct limits_settings *limits)
{
    struct journal_writer *writer = &journal->writer;
    switch (shared_ledger_attach(memory, event, slot, &writer->ledger)) {
    case SHARED_LEDGER_ATTACHED:
        writer->epoch_ms =
            shared_ledger_identity(writer->ledger, writer->secret);
        return 0;
    case SHARED_LEDGER_FOREIGN:
        diags_error(diags, limits->state_mark,
                    "the budgets in memory are not those of this version of "
                    "postern");
        return -1;
    default:
        diags_error(diags, limits->state_mark,
                    "the budgets in memory can't be taken over: %s",
                    strerrordesc_np(errno));
        return -1;
    }
}

/* Keeps what is in memory; what fails is tried again by the thread. */
static void keep_on(struct journal *journal)
{
    shared_ledger_watch(journal->writer.ledger);
    (void)journal_writer_renew(&journal->writer);
    if (journal_thread_start(&journal->thread, &journal->writer) == 0)
        return;
    server_log_write(journal->writer.log, SERVER_ERROR,
                     "budgets and dynamic lists are kept in memory only: no "
                     "thread can be started to write %s: %s",
                     journal->writer.file.path, strerrordesc_np(errno));
    journal_file_unlock(&journal->writer.file);
}

struct journal *journal_attach(const struct limits_settings *limits, int memory,
                               int event, unsigned slot, struct server_log *log,
                               struct diags *diags)
{
    struct journal *journal = prepare(limits, log, diags);
    if (journal != NULL &&
        attach(journal, memory, event, slot, diags, limits) == 0)
        return journal;
    journal_close(journal);
    return NULL;
}

void journal_take_over(struct journal *journal,
                       const struct limits_settings *limits)
{
    if (limits->state == NULL)
        return;
    bool is_default = limits->state_mark.line == 0;
    if (!is_default)
        make_directory(limits->state);
    bool is_locked =
        journal_file_lock(&journal->writer.file, limits->state) == 0;
    if (journal->writer.file.lock_path == NULL ||
        (is_default && !is_locked && errno != EWOULDBLOCK))
        tell_memory_only(journal, limits->state);
    else
        keep_on(journal);
}

void journal_retire(struct journal *journal)
{
    if (!journal->thread.is_running)
        return;
    journal_thread_stop(&journal->thread);
    journal_file_unlock(&journal->writer.file);
    journal->is_retired = true;
}

void journal_resume(struct journal *journal)
{
    if (!journal->is_retired)
        return;
    journal->is_retired = false;
    keep_on(journal);
}

void journal_descriptors(const struct journal *journal, int *memory, int *event)
{
    *memory = shared_ledger_memory(journal->writer.ledger);
    *event = shared_ledger_event(journal->writer.ledger);
}

struct shared_ledger *journal_ledger(struct journal *journal)
{
    return journal->writer.ledger;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    journal_thread_stop(&journal->thread);
    shared_ledger_free(journal->writer.ledger);
    journal_file_release(&journal->writer.file);
    explicit_bzero(journal->writer.secret, sizeof journal->writer.secret);
    free(journal);
}

uint64_t journal_failures(const struct journal *journal)
{
    return atomic_load(&journal->writer.failures);
}
