/* The files that the server runs with, as they were read last, and a thread
 * that looks twice a second whether one of them, but for YAML, is another one
 * by now. Whoever may read the files has it; who takes them up is told. */
#ifndef PROXY_CONTROL_FILES_WATCH_H
#define PROXY_CONTROL_FILES_WATCH_H

#include "config/files.h"
#include "proxy/control/reloader.h"

struct files_watch;

/* Takes `files`, whose octets are forgotten, but for YAML; not on failure.
 * The log outlives it. NULL when out of memory. */
struct files_watch *files_watch_new(struct files *files,
                                    struct server_log *log);
/* NULL is fine. */
void files_watch_free(struct files_watch *watch);

/* Where a reloader gets its files from. */
struct files_source files_watch_source(struct files_watch *watch);

/* Begins to look; on_change comes on its thread, for files that rest: the
 * first of them and how many there are. 0, or -1 when there is no thread. */
int files_watch_start(struct files_watch *watch,
                      void (*on_change)(void *owner, const struct file *changed,
                                        size_t count),
                      void *owner);
/* Joins the thread. */
void files_watch_stop(struct files_watch *watch);

#endif
