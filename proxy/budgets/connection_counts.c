/* Open addressing with linear probing over twice the cap, so that there is
 * always a free slot; deletion moves back what it would cut off. */
#include "proxy/budgets/connection_counts.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rules/base/keyed_hash.h"

struct slot {
    uint8_t net[9]; /* family, then the first octets of the address */
    uint32_t count; /* 0: free */
};

struct connection_counts {
    pthread_mutex_t lock;
    struct slot *slots;
    size_t mask;
    atomic_size_t total;
    size_t max, max_per_net;
    uint8_t secret[16];
};

struct connection_counts *connection_counts_new(size_t max, size_t max_per_net)
{
    struct connection_counts *counts = calloc(1, sizeof *counts);
    size_t size = 16;
    while (size < 2 * max)
        size *= 2;
    if (counts == NULL)
        return NULL;
    counts->slots = calloc(size, sizeof *counts->slots);
    if (counts->slots == NULL ||
        getrandom(counts->secret, sizeof counts->secret, 0) !=
            (ssize_t)sizeof counts->secret) {
        free(counts->slots);
        free(counts);
        return NULL;
    }
    counts->mask = size - 1;
    counts->max = max;
    counts->max_per_net = max_per_net;
    pthread_mutex_init(&counts->lock, NULL);
    return counts;
}

void connection_counts_free(struct connection_counts *counts)
{
    if (counts == NULL)
        return;
    pthread_mutex_destroy(&counts->lock);
    free(counts->slots);
    free(counts);
}

static void net_of(const struct ip *client, uint8_t net[9])
{
    memset(net, 0, 9);
    net[0] = client->is_v6 ? 6 : 4;
    memcpy(net + 1, client->octets, client->is_v6 ? 8 : 4);
}

static size_t home(const struct connection_counts *counts, const uint8_t net[9])
{
    struct str key = str_span((const char *)net, 9);
    return (size_t)keyed_hash(counts->secret, key) & counts->mask;
}

/* The net's slot, or the free one where it belongs. */
static struct slot *find(const struct connection_counts *counts,
                         const uint8_t net[9])
{
    size_t i = home(counts, net);
    while (counts->slots[i].count > 0 &&
           memcmp(counts->slots[i].net, net, 9) != 0)
        i = (i + 1) & counts->mask;
    return &counts->slots[i];
}

/* A place of the client's net; the lock is held. */
static enum connection_room take_of_net(struct connection_counts *counts,
                                        const struct ip *client)
{
    uint8_t net[9];
    net_of(client, net);
    struct slot *slot = find(counts, net);
    if (slot->count >= counts->max_per_net)
        return CONNECTION_NET_FULL;
    memcpy(slot->net, net, sizeof slot->net);
    slot->count++;
    return CONNECTION_TAKEN;
}

enum connection_room connection_counts_take(struct connection_counts *counts,
                                            const struct ip *client)
{
    enum connection_room room = CONNECTION_TAKEN;
    pthread_mutex_lock(&counts->lock);
    if (counts->total >= counts->max)
        room = CONNECTION_FULL;
    else if (client != NULL)
        room = take_of_net(counts, client);
    if (room == CONNECTION_TAKEN)
        counts->total++;
    pthread_mutex_unlock(&counts->lock);
    return room;
}

enum connection_room connection_counts_name(struct connection_counts *counts,
                                            const struct ip *client)
{
    pthread_mutex_lock(&counts->lock);
    enum connection_room room = take_of_net(counts, client);
    pthread_mutex_unlock(&counts->lock);
    return room;
}

/* Frees slot i: whatever behind it had to step over it moves up. */
static void remove_slot(struct connection_counts *counts, size_t i)
{
    size_t j = i;
    counts->slots[i].count = 0;
    for (;;) {
        j = (j + 1) & counts->mask;
        if (counts->slots[j].count == 0)
            return;
        size_t wanted = home(counts, counts->slots[j].net);
        if (((j - wanted) & counts->mask) < ((j - i) & counts->mask))
            continue;
        counts->slots[i] = counts->slots[j];
        counts->slots[j].count = 0;
        i = j;
    }
}

static void give_of_net(struct connection_counts *counts,
                        const struct ip *client)
{
    uint8_t net[9];
    net_of(client, net);
    struct slot *slot = find(counts, net);
    assert(slot->count > 0);
    if (--slot->count == 0)
        remove_slot(counts, (size_t)(slot - counts->slots));
}

void connection_counts_give(struct connection_counts *counts,
                            const struct ip *client)
{
    pthread_mutex_lock(&counts->lock);
    counts->total--;
    if (client != NULL)
        give_of_net(counts, client);
    pthread_mutex_unlock(&counts->lock);
}

bool connection_counts_is_crowded(const struct connection_counts *counts,
                                  uint64_t percent)
{
    return counts->total > counts->max - counts->max * (100 - percent) / 100;
}

size_t connection_counts_total(const struct connection_counts *counts)
{
    return atomic_load(&counts->total);
}
