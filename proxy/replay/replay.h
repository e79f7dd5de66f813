/* A recorded day through another policy, with the recorded clock. Reads a
 * decision log, runs every session and transaction in it through the
 * candidate's rules in the order of their times, and compares what was
 * decided with what would have been. Takes no descriptor but the log's. Runs
 * on whichever thread calls it. */
#ifndef PROXY_REPLAY_REPLAY_H
#define PROXY_REPLAY_REPLAY_H

#include "config/settings.h"

struct replay; /* the result: counts, per rule, examples */

struct replay_progress {
    void *owner;
    /* `done` of `total` octets of the log; false: give up. May be NULL. */
    bool (*on_progress)(void *owner, uint64_t done, uint64_t total);
};

/* NULL with a sentence in `error`: the log can't be read, or nothing in it is
 * a transaction. `settings` is borrowed until replay_free(). */
struct replay *replay_run(const struct settings *settings, const char *log,
                          const struct replay_progress *progress, char *error,
                          size_t room);
void replay_free(struct replay *replay);

uint64_t replay_transactions(const struct replay *replay);
/* Accepted then, refused or deferred now; and the other way round; and those
 * that are decided the same way with other words, route or edits. */
uint64_t replay_newly_refused(const struct replay *replay);
uint64_t replay_newly_passed(const struct replay *replay);
uint64_t replay_changed(const struct replay *replay);

#endif
