/* Reads a state file from its start: once to learn the times, once more for
 * what it holds. It takes no more memory than a buffer of fixed size. The
 * descriptor stays the caller's. */
#ifndef PROXY_BUDGETS_JOURNAL_LOAD_H
#define PROXY_BUDGETS_JOURNAL_LOAD_H

#include "proxy/budgets/journal_record.h"

enum journal_state {
    JOURNAL_FINE,
    JOURNAL_EMPTY,   /* no octets at all */
    JOURNAL_TORN,    /* the last record was not written to its end */
    JOURNAL_BROKEN,  /* something within is damaged: what follows is not read */
    JOURNAL_FOREIGN, /* it does not begin as a state file does */
    JOURNAL_FAILED   /* it could not be read: errno */
};

/* What the file is, and what is good in it. */
struct journal_found {
    enum journal_state state;
    uint8_t secret[16];
    uint64_t file_bytes, good_bytes;
    uint64_t records;
    uint64_t last_ms; /* the ledger's time when it was last written */
    /* What takes times of the file to the clock of whoever loads it. */
    uint64_t shift_ms;
};

/* now_wall_ms: what is now. However the wall clock was set since, no more
 * time has passed for the ledger than from the last write to now, and none at
 * all if the clock stands before that. */
void journal_survey(int fd, uint64_t now_wall_ms, struct journal_found *out);

/* Gives each entry of what is good, in wall time. -1 with errno when it can't
 * be read. */
int journal_replay(int fd, const struct journal_found *found,
                   void (*on_entry)(void *owner,
                                    const struct ledger_entry *entry),
                   void *owner);

#endif
