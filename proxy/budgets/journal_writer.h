/* Brings what changed in the ledger into the state's file, and now and then
 * writes the file anew. What can't be written is counted and said once; then
 * a whole new file is tried from time to time, since only the ledger still
 * knows everything. One thread at a time; memory of a fixed size. */
#ifndef PROXY_BUDGETS_JOURNAL_WRITER_H
#define PROXY_BUDGETS_JOURNAL_WRITER_H

#include <stdatomic.h>

#include "proxy/budgets/journal_file.h"
#include "proxy/budgets/journal_record.h"

#define JOURNAL_BATCH 128 /* entries that are copied under one lock */

struct server_log;
struct shared_ledger;

struct journal_writer {
    struct journal_file file;
    struct shared_ledger *ledger; /* borrowed */
    struct server_log *log;       /* borrowed */
    uint8_t secret[16];
    uint64_t epoch_ms; /* the ledger's clock less the monotonic one */
    /* The wall clock less the monotonic one: in the buffer, in the file. */
    uint64_t ahead_ms, written_ahead_ms;
    bool is_failing; /* the file lacks something */
    bool is_stale;   /* a change was lost: write it anew */
    uint64_t retry_at_ms;
    uint64_t synced_at_ms;
    atomic_uint_fast64_t failures;
    size_t used;
    uint8_t buffer[(JOURNAL_BATCH + 1) * JOURNAL_RECORD_MAX];
};

/* Monotonic, as the loops' clock. */
uint64_t journal_monotonic_ms(void);
uint64_t journal_wall_ms(void);

/* Writes what changed. is_urgent: and sees to it that it outlives the
 * machine. */
void journal_writer_flush(struct journal_writer *writer, bool is_urgent);
/* Writes the file anew, and takes its lock before if it has none. 0, or -1
 * with errno; then it is tried again from time to time. */
int journal_writer_renew(struct journal_writer *writer);
/* How long until there is something to do without a change. */
uint64_t journal_writer_idle_ms(const struct journal_writer *writer);

#endif
