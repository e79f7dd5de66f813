/* Keeps the ledger across restarts: budgets, distinct sets, dynamic lists and
 * known nets, but nothing that is only held. One file of records, each with a
 * checksum, rewritten whole (to limits.tmp, then renamed) when it has grown;
 * `limits.lock` keeps a second process out. A thread of its own collects what
 * changed and writes: there is no I/O under a lock or on a loop. When the
 * disk fails mail flows on, and everything is written as soon as it can be.
 *
 * Journal and ledger live and die together, after the workers. */
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
 * lost, and the file is kept as PATH.bad. */
struct journal *journal_open(const struct limits_settings *limits,
                             size_t max_keys, struct server_log *log,
                             struct diags *diags);
/* The ledger of the process; owned by the journal. */
struct shared_ledger *journal_ledger(struct journal *journal);
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
