/* pool: of an upstream — its connections, and who waits for one. */
#include "config/sections.h"

#include <stddef.h>

/* These keys fill the upstream's struct itself. */
static const struct key pool_keys[] = {
    {.name = "max",
     .type = KEY_NUMBER,
     .fallback = "100",
     .min = 1,
     .max = 10000,
     .help = "connections to a server at the same time, a worker",
     .offset = offsetof(struct upstream_settings, pool_max)},
    {.name = "spare",
     .type = KEY_NUMBER,
     .fallback = "0",
     .max = 10000,
     .help = "unused connections to a server that are kept ready, a worker",
     .offset = offsetof(struct upstream_settings, pool_spare)},
    {.name = "idle",
     .type = KEY_TIME,
     .fallback = "30s",
     .max = 3600000,
     .help = "how long an unused connection is kept",
     .offset = offsetof(struct upstream_settings, pool_idle_ms)},
    {.name = "transactions",
     .type = KEY_NUMBER,
     .fallback = "100",
     .min = 1,
     .max = 100000,
     .help = "messages over one connection",
     .offset = offsetof(struct upstream_settings, pool_transactions)},
    {.name = "queue",
     .type = KEY_NUMBER,
     .fallback = "1000",
     .max = 100000,
     .help = "messages that may wait for a connection, a worker",
     .offset = offsetof(struct upstream_settings, pool_queue)},
    {.name = "wait",
     .type = KEY_TIME,
     .fallback = "5s",
     .min = 1,
     .max = 300000,
     .help = "how long a message may wait for a connection",
     .offset = offsetof(struct upstream_settings, pool_wait_ms)},
};

const struct schema pool_schema = {"pool", pool_keys,
                                   sizeof pool_keys / sizeof *pool_keys};
