/* All that threads share, and nothing else is shared. What is const is
 * immutable; what is not locks itself. Made by `run`, lent to the workers,
 * and outlives them. */
#ifndef PROXY_SHARED_H
#define PROXY_SHARED_H

#include "proxy/budgets/shared_ledger.h"
#include "proxy/budgets/connection_counts.h"
#include "proxy/budgets/store_word.h"
#include "proxy/metrics/metrics.h"
#include "proxy/preflight.h"
#include "proxy/upstream/health_board.h"

struct shared {
    /* What the server began with. Its rules go when a reload has replaced
     * them everywhere: each worker knows the newest. */
    const struct settings *settings;
    /* TLS contexts; logs; logins; credentials. Those of files are exchanged
     * when these change: a handshake or a look-up holds the lock of what it
     * looks into, a message never does. */
    const struct preflight *opened;
    struct shared_ledger *ledger;
    struct shared_ledger *shadow_ledger; /* of a candidate policy */
    struct connection_counts *connections;
    struct metrics *metrics;
    struct health_board *health; /* of the upstreams' servers */
    struct store_word *store_word;
    int supervisor; /* the channel to it; negative: there is none */
};

#endif
