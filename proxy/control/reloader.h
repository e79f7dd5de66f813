/* Takes up a changed policy while mail flows. A thread of its own loads the
 * configuration, runs its tests and the gate, and hands the new snapshot to
 * `publish`; where any of that fails nothing changes. It also frees old
 * snapshots once nobody uses them, so that no loop stalls over a large one.
 * One reload at a time. Thread-safe. */
#ifndef PROXY_CONTROL_RELOADER_H
#define PROXY_CONTROL_RELOADER_H

#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"

struct reloader;

/* All borrowed. */
struct reloader_host {
    struct decision_log *decisions;
    struct server_log *log;
    /* Reads again what the server reads beside its configuration: 0, or -1
     * with errors in diags; then nothing goes live. On the reloader's thread.
     */
    int (*reread)(void *owner, struct diags *diags);
    /* Makes a snapshot the one that new transactions take up; on the
     * reloader's thread. It stays valid until reloader_free(). */
    void (*publish)(void *owner, const struct settings *policy);
    void *owner;
};

enum reload_end {
    RELOAD_LIVE,    /* the new policy holds */
    RELOAD_REFUSED, /* by errors, or by `reason` */
    RELOAD_BUSY,    /* another one is under way */
    RELOAD_STOPPING /* the server stops */
};

struct reload_result {
    enum reload_end end;
    struct diags diags;         /* warnings, or why it was refused */
    char before[72], after[72]; /* policy digests; after: of LIVE */
    size_t tests;               /* that passed */
};

/* `settings` is the snapshot that the server began with; a reference is taken.
 * Its server's part stays valid until reloader_free(). NULL when out of memory
 * or threads. */
struct reloader *reloader_new(const struct settings *settings,
                              const struct reloader_host *host);
/* Nothing is published any more; a reload under way is given up. */
void reloader_stop(struct reloader *reloader);
/* All snapshots must be out of use, but for the first. NULL is fine. */
void reloader_free(struct reloader *reloader);

/* Reloads some time, and again if one is under way; the logs say how it went.
 */
void reloader_signal(struct reloader *reloader);
/* Reloads and waits for the end. */
void reloader_ask(struct reloader *reloader, struct reload_result *result);
void reload_result_release(struct reload_result *result);

/* The newest snapshot, a reference. */
const struct settings *reloader_policy(struct reloader *reloader);

#endif
