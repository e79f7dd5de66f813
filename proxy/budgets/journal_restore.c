#include "proxy/budgets/journal_restore.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "proxy/budgets/journal_load.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/log/server_log.h"

struct restoring {
    struct journal_writer *writer;
    uint64_t now_ms;
    uint64_t misfits; /* entries that found no room */
};

static void on_entry(void *owner, const struct ledger_entry *entry)
{
    struct restoring *restoring = owner;
    if (!shared_ledger_restore(restoring->writer->ledger, entry,
                               restoring->now_ms))
        restoring->misfits++;
}

static void report_torn(const struct journal_writer *writer,
                        const struct journal_found *found)
{
    server_log_write(
        writer->log, SERVER_WARNING,
        "the limits' state %s was not written to its end: its "
        "last %llu octets are cut, the %llu records before are "
        "used",
        writer->file.path,
        (unsigned long long)(found->file_bytes - found->good_bytes),
        (unsigned long long)found->records);
}

static void report_broken(const struct journal_writer *writer,
                          const struct journal_found *found)
{
    server_log_write(
        writer->log, SERVER_ERROR,
        "the limits' state %s is damaged at octet %llu: the %llu "
        "records before are used, %llu octets are not; the file "
        "is kept as %s",
        writer->file.path, (unsigned long long)found->good_bytes,
        (unsigned long long)found->records,
        (unsigned long long)(found->file_bytes - found->good_bytes),
        writer->file.bad_path);
}

static void report_unusable(const struct journal_writer *writer,
                            const char *why)
{
    server_log_write(writer->log, SERVER_ERROR,
                     "the limits' state %s %s: all budgets and dynamic lists "
                     "start empty; the file is kept as %s",
                     writer->file.path, why, writer->file.bad_path);
}

static void report(const struct journal_writer *writer,
                   const struct journal_found *found)
{
    switch (found->state) {
    case JOURNAL_TORN:
        report_torn(writer, found);
        break;
    case JOURNAL_BROKEN:
        report_broken(writer, found);
        break;
    case JOURNAL_FOREIGN:
        report_unusable(writer, "is damaged from its start");
        break;
    case JOURNAL_FAILED:
        report_unusable(writer, "can't be read to its end");
        break;
    default:
        break;
    }
}

static void keep_bad(const struct journal_writer *writer)
{
    const struct journal_file *file = &writer->file;
    if (journal_file_keep_bad(file) != 0)
        server_log_write(writer->log, SERVER_WARNING,
                         "%s can't be kept as %s: %s", file->path,
                         file->bad_path, strerrordesc_np(errno));
}

static bool is_usable(enum journal_state state)
{
    return state == JOURNAL_FINE || state == JOURNAL_TORN ||
           state == JOURNAL_BROKEN;
}

static bool is_bad(enum journal_state state)
{
    return state == JOURNAL_BROKEN || state == JOURNAL_FOREIGN ||
           state == JOURNAL_FAILED;
}

static int choose_secret(struct journal_writer *writer,
                         const struct journal_found *found)
{
    if (!is_usable(found->state))
        return getrandom(writer->secret, sizeof writer->secret, 0) ==
                       (ssize_t)sizeof writer->secret
                   ? 0
                   : -1;
    memcpy(writer->secret, found->secret, sizeof writer->secret);
    return 0;
}

static void fill_ledger(struct journal_writer *writer, int fd,
                        struct journal_found *found, uint64_t now_ms)
{
    struct restoring restoring = {writer, now_ms, 0};
    if (is_usable(found->state) &&
        journal_replay(fd, found, on_entry, &restoring) != 0)
        found->state = JOURNAL_FAILED;
    if (restoring.misfits > 0)
        server_log_write(writer->log, SERVER_WARNING,
                         "%llu entries of the limits' state %s found no room",
                         (unsigned long long)restoring.misfits,
                         writer->file.path);
}

int journal_restore(struct journal_writer *writer, size_t max_keys,
                    unsigned slot, int fd)
{
    struct journal_found found = {.state = JOURNAL_EMPTY};
    uint64_t now_ms = journal_wall_ms();
    writer->epoch_ms = now_ms - journal_monotonic_ms();
    if (fd >= 0)
        journal_survey(fd, now_ms, &found);
    if (choose_secret(writer, &found) != 0)
        return -1;
    writer->ledger =
        shared_ledger_create(max_keys, writer->secret, writer->epoch_ms, slot);
    if (writer->ledger == NULL)
        return -1;
    fill_ledger(writer, fd, &found, now_ms);
    report(writer, &found);
    if (is_bad(found.state))
        keep_bad(writer);
    explicit_bzero(found.secret, sizeof found.secret);
    return 0;
}
