/* Takes up what has changed while mail flows. A thread of its own gets files,
 * loads the configuration, runs its tests and the gate, has what the server
 * read beside the policy renewed, and hands the new snapshot to `publish`;
 * where any of that fails nothing changes. It also frees old snapshots once
 * nobody uses them, so that no loop stalls over a large one. One reload at a
 * time. Thread-safe. */
#ifndef PROXY_CONTROL_RELOADER_H
#define PROXY_CONTROL_RELOADER_H

#include "config/files.h"
#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"

struct reloader;

/* Whoever may read the files: this is all that a reload knows of a disk. On
 * the reloader's thread. */
struct files_source {
    /* What a reload is to read; `is_whole` false: but for the YAML, which is
     * what was taken up last. NULL: out of memory. */
    struct files *(*fetch)(void *owner, bool is_whole);
    /* Those that were taken up last. */
    const struct files *(*newest)(void *owner);
    /* These were taken up, and are the owner's now. */
    void (*keep)(void *owner, struct files *files);
    void *owner;
};

/* All borrowed. */
struct reloader_host {
    struct decision_log *decisions;
    struct server_log *log;
    struct files_source source;
    /* Takes up what the server reads beside its policy: 0, or -1 with errors
     * in diags; then nothing has changed, nor goes live. On the reloader's
     * thread. */
    int (*renew)(void *owner, const struct settings *fresh, struct files *files,
                 struct diags *diags);
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
    bool is_same;               /* LIVE, and there was nothing new */
    struct diags diags;         /* warnings, or why it was refused */
    char before[72], after[72]; /* policy digests; after: of LIVE */
    size_t tests;               /* that passed */
    /* Of LIVE: the files that are others than before, but for YAML. */
    char renewed[512];
    size_t renewed_count;
};

/* Who asked. */
enum reload_asker { RELOAD_BY_CONTROL, RELOAD_BY_SIGNAL, RELOAD_BY_FILE };

struct reload_cause {
    enum reload_asker by;
    /* Of BY_FILE: the first that has changed, and how many others have. */
    enum file_kind kind;
    size_t others;
    char path[FILES_PATH_MAX];
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
/* Reloads some time all but the YAML, as these files have changed: the first of
 * them, and how many there are. */
void reloader_renew(struct reloader *reloader, const struct file *changed,
                    size_t count);
/* Reloads and waits for the end. */
void reloader_ask(struct reloader *reloader, struct reload_result *result);
void reload_result_release(struct reload_result *result);

/* The newest snapshot, a reference. */
const struct settings *reloader_policy(struct reloader *reloader);

#endif
