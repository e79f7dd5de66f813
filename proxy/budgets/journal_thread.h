/* The thread that writes what changes, soon after it does: woken by the event
 * of the ledger, whichever process changed something. */
#ifndef PROXY_BUDGETS_JOURNAL_THREAD_H
#define PROXY_BUDGETS_JOURNAL_THREAD_H

#include <pthread.h>

#include "proxy/budgets/journal_writer.h"

struct journal_thread {
    bool is_running;
    pthread_t id;
    struct journal_writer *writer; /* the thread's own while it runs */
    int stop;         /* an eventfd of this process alone: it is to end */
    uint64_t emptied; /* shards, as far as was told */
};

/* 0, or -1 with errno. */
int journal_thread_start(struct journal_thread *thread,
                         struct journal_writer *writer);
/* Once all is written; nothing if it does not run. */
void journal_thread_stop(struct journal_thread *thread);

#endif
