/* All that threads share, and nothing else is shared. What is const is
 * immutable; what is not locks itself. Made by `run`, lent to the workers,
 * and outlives them. */
#ifndef PROXY_SHARED_H
#define PROXY_SHARED_H

#include "proxy/budgets/shared_ledger.h"
#include "proxy/budgets/connection_counts.h"
#include "proxy/preflight.h"

struct shared {
    const struct settings *settings;
    const struct preflight *opened; /* TLS contexts, logins, logs */
    struct shared_ledger *ledger;
    struct connection_counts *connections;
};

#endif
