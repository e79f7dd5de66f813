/* Budgets that are kept elsewhere: stands in for the store when linking. It is
 * the world's own ledger, but it answers a turn later, and every third
 * question not at all. */
#ifndef TESTS_DIALOGUE_FAKE_REMOTE_LEDGER_H
#define TESTS_DIALOGUE_FAKE_REMOTE_LEDGER_H

#include "proxy/budgets/remote_ledger.h"
#include "proxy/budgets/shared_ledger.h"

struct remote_ledger {
    struct loop *loop;            /* borrowed, as the ledger */
    struct shared_ledger *ledger; /* NULL: there is no store */
    struct remote_question *questions;
    uint64_t asked; /* so many questions */
};

#endif
