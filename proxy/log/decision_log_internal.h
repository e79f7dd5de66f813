/* The inside of the decision log, for the files that make it up: what everybody
 * calls (decision_log.c) and the writer's thread (decision_writer.c). */
#ifndef PROXY_LOG_DECISION_LOG_INTERNAL_H
#define PROXY_LOG_DECISION_LOG_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "proxy/log/decision_log.h"
#include "proxy/log/entry_lines.h"
#include "proxy/log/log_file.h"
#include "proxy/log/log_lane.h"

/* So much in one lane does not wait for more. */
#define GATHER_OCTETS ((size_t)512 * 1024)

struct decision_lane {
    struct decision_log *log;
    struct decision_lane *next;
    struct log_lane lines;
};

struct decision_log {
    const char *path;             /* owned; NULL: lines are dropped */
    bool is_on_stdout;            /* the path is only what messages call it */
    bool is_strict;               /* what can't be written waits */
    struct entry_lines *text;     /* what makes JSON text; NULL: it stays */
    struct entry_lines *own_text; /* beside it, for lines about the log */
    struct decision_lane common;  /* of all that have none of their own */
    pthread_t writer;
    atomic_bool is_sleeping; /* the writer, until it is woken */
    pthread_mutex_t lock;    /* over what follows, but what is the writer's */
    pthread_cond_t work;
    struct decision_lane *lanes; /* owned, but the common one; never shorter */
    bool is_pressed;             /* much waits already */
    bool is_reopening;
    bool is_ending;
    bool is_after_crash;       /* the next line may stand behind a torn one */
    struct server_log *server; /* NULL: nobody hears of failures */
    _Atomic uint64_t *lines, *losses; /* NULL: nobody counts */
    struct log_file file;             /* the writer's, as is what follows */
    struct line_queue batch;
    uint64_t lost;          /* not told yet */
    atomic_bool is_failing; /* everybody reads it */
};

/* The thread; `argument` is the log. It ends when is_ending is set, with all
 * written that can be. */
void *decision_writer_run(void *argument);

#endif
