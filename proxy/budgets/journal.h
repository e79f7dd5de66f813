/* Keeps the ledger across restarts: budgets, distinct sets, dynamic lists and
 * known nets, but nothing that is only held. One file of records, each with a
 * checksum, rewritten whole (to limits.tmp, then renamed) when it has grown;
 * `limits.lock` keeps a second process out. A thread of its own collects what
 * changed and writes: there is no I/O under a lock or on a loop. When the
 * disk fails mail flows on, and everything is written as soon as it can be.
 *
 * The ledger lies in memory that can be handed on, by two descriptors, while
 * it is used: the old process retires its journal, the new one takes it over,
 * and both go on charging. Journal and ledger live and die together, after
 * the workers. */
#ifndef PROXY_BUDGETS_JOURNAL_H
#define PROXY_BUDGETS_JOURNAL_H

#include "config/settings.h"

struct journal;
struct ledger;
struct server_log;
struct shared_ledger;

/* Opens limits->state and starts the thread. A state that is not set, or is
 * the default and can't be used, gives a ledger in memory only, which the log
 * says. NULL with errors in diags: the path was written and can't be used,
 * another process has it, or there is no memory. What is damaged is never a
 * reason to fail: what was good before it is used, the log says what was
 * lost, and the file is kept as PATH.bad. `slot` is this process's number
 * among those that share the ledger, below SLOTS. */
struct journal *journal_open(const struct limits_settings *limits,
                             size_t max_keys, unsigned slot,
                             struct server_log *log, struct diags *diags);
/* The ledger of the process; owned by the journal. */
struct shared_ledger *journal_ledger(struct journal *journal);
/* What another process takes it over with; owned by the journal. */
void journal_descriptors(const struct journal *journal, int *memory,
                         int *event);

/* Another process's ledger, by descriptors that stay the caller's; nothing is
 * restored, nor written yet. NULL with an error in diags: that is not the
 * ledger of this version of the program, or there is no memory. Then
 * journal_open() does, once the old process has retired. */
struct journal *journal_attach(const struct limits_settings *limits, int memory,
                               int event, unsigned slot, struct server_log *log,
                               struct diags *diags);
/* The old process has retired, or is no more: limits->state is written anew.
 * When it can't be, or another process still has it, the ledger is kept in
 * memory, the log says so, and it is tried again every few seconds (never for
 * a default that can't be used). */
void journal_take_over(struct journal *journal,
                       const struct limits_settings *limits);
/* Writes what is left, stops the thread and leaves the file to another
 * process; the ledger goes on. */
void journal_retire(struct journal *journal);
/* After all nobody took it over: it is kept again, as after a take-over. */
void journal_resume(struct journal *journal);

/* Writes what is left, stops the thread and frees the ledger too. NULL is
 * fine. */
void journal_close(struct journal *journal);

/* How many times writing has failed since the start. */
uint64_t journal_failures(const struct journal *journal);

/* A private copy of what the state at `path` holds, for a dry run: its times
 * are milliseconds of wall time, of which now_wall_ms is now. Takes no lock
 * and changes nothing; a running server may write meanwhile. NULL with a text
 * in `error`: there is no such file, it can't be read, it is no state, or
 * there is no memory. */
struct ledger *journal_open_copy(const char *path, size_t max_keys,
                                 uint64_t now_wall_ms, char *error,
                                 size_t room);

#endif
