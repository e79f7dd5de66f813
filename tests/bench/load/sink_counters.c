#include "tests/bench/load/sink_counters.h"

#include <inttypes.h>
#include <stdio.h>

void sink_counters_open(struct sink_counters *counters)
{
    sink_count(&counters->connections, 1);
    uint64_t open = sink_count(&counters->open, 1) + 1;
    uint64_t most = atomic_load(&counters->most_open);
    while (open > most &&
           !atomic_compare_exchange_weak(&counters->most_open, &most, open))
        ;
}

void sink_counters_close(struct sink_counters *counters)
{
    atomic_fetch_sub_explicit(&counters->open, 1, memory_order_relaxed);
}

void sink_counters_print(struct sink_counters *counters, char *to, size_t room)
{
    const struct {
        const char *name;
        const atomic_uint_fast64_t *counter;
    } rows[] = {
        {"conns", &counters->connections}, {"open", &counters->open},
        {"maxopen", &counters->most_open}, {"msgs", &counters->messages},
        {"rcpts", &counters->recipients},  {"bytes", &counters->octets},
        {"ok", &counters->right},          {"bad", &counters->wrong},
        {"nosum", &counters->unmarked},    {"dup", &counters->doubled},
        {"aborted", &counters->aborted},   {"cmds", &counters->commands},
        {"xclient", &counters->xclients},  {"auths", &counters->logins},
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && used < room; i++)
        used += (size_t)snprintf(to + used, room - used, "%s%s=%" PRIu64,
                                 i == 0 ? "" : " ", rows[i].name,
                                 (uint64_t)atomic_load(rows[i].counter));
}
