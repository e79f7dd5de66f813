/* The ids of the messages that came, to find out those that come twice. Any
 * thread. */
#ifndef BENCH_LOAD_SEEN_IDS_H
#define BENCH_LOAD_SEEN_IDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen_ids {
    pthread_mutex_t lock;
    uint64_t *slots; /* 0: free */
    size_t count, room;
};

void seen_ids_init(struct seen_ids *seen);
void seen_ids_release(struct seen_ids *seen);
/* False: it was there already. */
bool seen_ids_add(struct seen_ids *seen, uint64_t id);

#endif
