/* What a sink has seen. All its threads count at once. */
#ifndef BENCH_LOAD_SINK_COUNTERS_H
#define BENCH_LOAD_SINK_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct sink_counters {
    atomic_uint_fast64_t connections, open, most_open;
    atomic_uint_fast64_t messages, recipients, octets;
    atomic_uint_fast64_t right, wrong, unmarked, doubled; /* of them */
    atomic_uint_fast64_t aborted; /* connections lost within a message */
    atomic_uint_fast64_t commands, xclients, logins;
};

/* Gives what it was before. */
static inline uint64_t sink_count(atomic_uint_fast64_t *counter, uint64_t more)
{
    return atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

void sink_counters_open(struct sink_counters *counters);
void sink_counters_close(struct sink_counters *counters);

/* In one line, as XSTAT tells them; it is cut where there is no room. */
void sink_counters_print(struct sink_counters *counters, char *to, size_t room);
#define SINK_COUNTERS_ROOM 512

#endif
