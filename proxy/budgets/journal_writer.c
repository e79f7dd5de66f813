#include "proxy/budgets/journal_writer.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "proxy/budgets/shared_ledger.h"
#include "proxy/log/server_log.h"

#define SYNC_EVERY_MS 1000
#define RETRY_EVERY_MS 10000
#define CLOCK_EVERY_MS                                                         \
    60000 /* how often a wall clock that was set is noticed */
#define CLOCK_STEP_MS 1000
/* The file is written anew when it is this much more than twice as large as
 * it was then. */
#define GROWTH_BYTES (4u * 1024 * 1024)

static uint64_t clock_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t journal_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

uint64_t journal_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

static void fail(struct journal_writer *writer, const char *what)
{
    int error = errno;
    atomic_fetch_add(&writer->failures, 1);
    if (!writer->is_failing)
        server_log_write(writer->log, SERVER_ERROR,
                         "the limits' state %s can't be %s: %s; mail goes on, "
                         "but a restart now would forget what was counted "
                         "since; it is tried again every %d s",
                         writer->file.path, what, journal_file_reason(error),
                         RETRY_EVERY_MS / 1000);
    writer->is_failing = true;
    writer->retry_at_ms = journal_monotonic_ms() + RETRY_EVERY_MS;
    errno = error;
}

static void add_times(struct journal_writer *writer)
{
    uint64_t now = journal_monotonic_ms();
    struct journal_times times = {now + writer->epoch_ms, journal_wall_ms()};
    writer->ahead_ms = times.wall_ms - now;
    writer->used += journal_write_times(writer->buffer + writer->used, &times,
                                        writer->secret);
}

static void on_entry(void *owner, const struct ledger_entry *entry)
{
    struct journal_writer *writer = owner;
    writer->used += journal_write_entry(writer->buffer + writer->used, entry,
                                        writer->secret);
}

/* Empties the buffer into the file, unless that lacks something already, and
 * into the next one if there is one. -1: the next one has failed. */
static int write_batch(struct journal_writer *writer)
{
    size_t count = writer->used;
    writer->used = 0;
    writer->written_ahead_ms = writer->ahead_ms;
    if (!writer->is_failing && writer->file.fd >= 0 &&
        journal_file_append(&writer->file, writer->buffer, count) != 0)
        fail(writer, "written");
    if (writer->file.next_fd < 0)
        return 0;
    return journal_file_append_next(&writer->file, writer->buffer, count);
}

static int write_changes(struct journal_writer *writer)
{
    int result = 0;
    shared_ledger_expect_changes(writer->ledger);
    for (size_t shard = 0; shard < SHARED_LEDGER_SHARDS; shard++) {
        size_t taken = JOURNAL_BATCH;
        while (taken == JOURNAL_BATCH) {
            add_times(writer);
            size_t empty = writer->used;
            taken =
                shared_ledger_take_changes(writer->ledger, shard, JOURNAL_BATCH,
                                           on_entry, writer, &writer->is_stale);
            if (writer->used == empty)
                writer->used = 0;
            else if (write_batch(writer) != 0)
                result = -1;
        }
    }
    return result;
}

/* --- a new file --- */

static int write_head(struct journal_writer *writer)
{
    journal_write_head(writer->buffer, writer->secret);
    writer->used = JOURNAL_HEAD_BYTES;
    add_times(writer);
    size_t count = writer->used;
    writer->used = 0;
    writer->written_ahead_ms = writer->ahead_ms;
    return journal_file_append_next(&writer->file, writer->buffer, count);
}

/* What changes meanwhile goes into both files, after what the walk has
 * already told of it. */
static int write_all(struct journal_writer *writer)
{
    struct shared_ledger_walk walk = {0};
    for (size_t step = 1;; step++) {
        bool has_more = shared_ledger_walk(writer->ledger, &walk, JOURNAL_BATCH,
                                           on_entry, writer);
        size_t count = writer->used;
        writer->used = 0;
        if (journal_file_append_next(&writer->file, writer->buffer, count) != 0)
            return -1;
        if ((step % 256 == 0 || !has_more) && write_changes(writer) != 0)
            return -1;
        if (!has_more)
            return 0;
    }
}

int journal_writer_renew(struct journal_writer *writer)
{
    writer->is_stale = false;
    if (journal_file_lock_again(&writer->file) != 0 ||
        journal_file_begin_next(&writer->file) != 0 ||
        write_head(writer) != 0 || write_all(writer) != 0 ||
        journal_file_adopt_next(&writer->file) != 0) {
        fail(writer, "written anew");
        int error = errno;
        journal_file_drop_next(&writer->file);
        errno = error;
        return -1;
    }
    if (writer->is_failing)
        server_log_write(writer->log, SERVER_INFO,
                         "the limits' state %s is written again",
                         writer->file.path);
    writer->is_failing = false;
    return 0;
}

/* --- turn by turn --- */

/* Without it a restart after the wall clock was set would take the step for
 * time that has passed. */
static void note_clock(struct journal_writer *writer)
{
    uint64_t ahead = journal_wall_ms() - journal_monotonic_ms();
    int64_t step = (int64_t)(ahead - writer->written_ahead_ms);
    if (step > -CLOCK_STEP_MS && step < CLOCK_STEP_MS)
        return;
    add_times(writer);
    (void)write_batch(writer);
}

static void sync_file(struct journal_writer *writer, bool is_urgent)
{
    uint64_t now = journal_monotonic_ms();
    if (writer->is_failing ||
        (!is_urgent && now - writer->synced_at_ms < SYNC_EVERY_MS))
        return;
    writer->synced_at_ms = now;
    if (journal_file_sync(&writer->file) != 0)
        fail(writer, "written");
}

void journal_writer_flush(struct journal_writer *writer, bool is_urgent)
{
    uint64_t limit = 2 * writer->file.first_size + GROWTH_BYTES;
    if (!writer->is_failing) {
        (void)write_changes(writer);
        note_clock(writer);
        sync_file(writer, is_urgent);
    }
    bool is_due = writer->is_failing
                      ? journal_monotonic_ms() >= writer->retry_at_ms
                      : writer->is_stale || writer->file.size > limit;
    if (is_due)
        (void)journal_writer_renew(writer);
}

uint64_t journal_writer_idle_ms(const struct journal_writer *writer)
{
    if (writer->is_failing)
        return RETRY_EVERY_MS;
    return writer->file.is_unsynced ? SYNC_EVERY_MS : CLOCK_EVERY_MS;
}
