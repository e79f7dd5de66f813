/* At the start: makes the ledger of what a state's file holds, and tells the
 * log what could not be used. */
#ifndef PROXY_BUDGETS_JOURNAL_RESTORE_H
#define PROXY_BUDGETS_JOURNAL_RESTORE_H

#include "proxy/budgets/journal_writer.h"

/* Sets the writer's ledger, secret and clock. fd is -1: there is no file yet.
 * A damaged one gets its second name. 0, or -1 with errno: no memory. */
int journal_restore(struct journal_writer *writer, size_t max_keys,
                    unsigned slot, int fd);

#endif
