/* Finds out what has changed, and whether it may be taken up, while mail flows.
 * A thread of its own gets files, loads the configuration, runs its tests and
 * the gate, and gives what has passed to `take_up`; where any of that fails
 * nothing changes. One reload at a time. Thread-safe. */
#ifndef PROXY_CONTROL_RELOADER_H
#define PROXY_CONTROL_RELOADER_H

#include "config/files.h"
#include "config/settings.h"
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

/* What has passed all that can be asked of it here. */
struct reload_change {
    const struct settings *fresh;
    struct files *files; /* of which it was made, and that it names */
    /* The server's own part is another one, too: `sections` names what. */
    bool is_other_server;
    char sections[256];
};

/* All borrowed; what is called is on the reloader's thread. */
struct reloader_host {
    struct server_log *log;
    struct files_source source;
    /* 0 when it is what mail goes by from now on; or -1 with errors in diags,
     * then nothing has changed. */
    int (*take_up)(void *owner, const struct reload_change *change,
                   struct diags *diags);
    /* A line for the decision log, without an end. */
    void (*note)(void *owner, struct str line);
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
    char sections[256]; /* of LIVE: of the server's own part that changed */
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

/* `settings` is what the server runs with; a reference is taken. NULL when out
 * of memory or threads. */
struct reloader *reloader_new(const struct settings *settings,
                              const struct reloader_host *host);
/* Nothing is taken up any more; a reload under way is given up. */
void reloader_stop(struct reloader *reloader);
/* NULL is fine. */
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
/* Whether one is under way. */
bool reloader_is_busy(struct reloader *reloader);
void reload_result_release(struct reload_result *result);

#endif
