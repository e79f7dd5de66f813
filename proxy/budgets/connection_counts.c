/* Nets are entries of a table that lies in the memory. One that has no
 * connection any more makes room for another: it expires at 0, while what is
 * counted never does. */
#include "proxy/budgets/connection_counts.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proxy/budgets/robust_lock.h"
#include "proxy/budgets/shared_memory.h"
#include "rules/expiring_table.h"

#define MAGIC 0x31544e434e525450 /* "PTRNCNT1" */
/* One more with every change of what lies in the memory, in rules/ too. */
#define LAYOUT 1
#define NETS_LEAST 1024
#define NETS_MAX ((uint64_t)1 << 30)

/* What lies before the table, and is common to all processes. */
struct common {
    struct shared_memory_head head;
    uint8_t secret[16];
    _Alignas(64) struct robust_lock lock;
    _Alignas(64) atomic_size_t totals[SLOTS];
};

struct connection_counts {
    struct shared_memory memory;
    struct common *common;       /* at its start */
    struct expiring_table *nets; /* of struct slot_counts */
    size_t max, max_per_net;
    unsigned slot;
};

/* The table begins on a page of its own, so that it can be cleared. */
static size_t table_octets(uint64_t nets)
{
    return expiring_table_octets((size_t)nets, sizeof(struct slot_counts));
}

static size_t octets(uint64_t nets)
{
    _Static_assert(sizeof(struct common) <= SHARED_MEMORY_PAGE, "one page");
    return nets > NETS_MAX ? 0 : SHARED_MEMORY_PAGE + table_octets(nets);
}

static const struct shared_memory_kind KIND = {
    "postern-connections", MAGIC,
    (uint64_t)LAYOUT << 32 | sizeof(struct common), octets};

/* --- opening --- */

static struct connection_counts *prepare(size_t max, size_t max_per_net,
                                         unsigned slot)
{
    struct connection_counts *counts = calloc(1, sizeof *counts);
    if (counts == NULL)
        return NULL;
    counts->memory.fd = -1;
    counts->max = max;
    counts->max_per_net = max_per_net;
    counts->slot = slot;
    return counts;
}

static int place(struct connection_counts *counts)
{
    counts->common = counts->memory.at;
    counts->nets = expiring_table_place(
        (char *)counts->memory.at + SHARED_MEMORY_PAGE,
        (size_t)counts->common->head.capacity, sizeof(struct slot_counts));
    return counts->nets == NULL ? -1 : 0;
}

static struct connection_counts *fail(struct connection_counts *counts)
{
    int error = errno;
    connection_counts_free(counts);
    errno = error;
    return NULL;
}

static struct connection_counts *fill(struct connection_counts *counts)
{
    struct common *common = counts->memory.at;
    if (getrandom(common->secret, sizeof common->secret, 0) !=
            (ssize_t)sizeof common->secret ||
        robust_lock_init(&common->lock, counts->memory.fd >= 0) != 0 ||
        place(counts) != 0)
        return fail(counts);
    return counts;
}

struct connection_counts *connection_counts_new(size_t max, size_t max_per_net)
{
    struct connection_counts *counts = prepare(max, max_per_net, 0);
    if (counts == NULL ||
        shared_memory_create_private(&counts->memory, &KIND, max + 1) != 0)
        return fail(counts);
    return fill(counts);
}

struct connection_counts *
connection_counts_create(size_t max, size_t max_per_net, unsigned slot)
{
    struct connection_counts *counts = prepare(max, max_per_net, slot);
    uint64_t nets = max > NETS_LEAST / 4 ? (uint64_t)4 * max : NETS_LEAST;
    if (counts == NULL ||
        shared_memory_create(&counts->memory, &KIND, nets) != 0)
        return fail(counts);
    return fill(counts);
}

enum connection_counts_attached
connection_counts_attach(int fd, size_t max, size_t max_per_net, unsigned slot,
                         struct connection_counts **out)
{
    struct connection_counts *counts = prepare(max, max_per_net, slot);
    *out = NULL;
    if (counts == NULL)
        return CONNECTION_COUNTS_FAILED;
    int result = shared_memory_attach(&counts->memory, &KIND, fd);
    if (result != 0 || place(counts) != 0) {
        (void)fail(counts);
        return result == SHARED_MEMORY_FOREIGN ? CONNECTION_COUNTS_FOREIGN
                                               : CONNECTION_COUNTS_FAILED;
    }
    connection_counts_forget(counts, slot);
    *out = counts;
    return CONNECTION_COUNTS_ATTACHED;
}

int connection_counts_memory(const struct connection_counts *counts)
{
    return counts->memory.fd;
}

void connection_counts_free(struct connection_counts *counts)
{
    if (counts == NULL)
        return;
    expiring_table_free(counts->nets);
    shared_memory_close(&counts->memory);
    free(counts);
}

/* --- counting --- */

/* After a death within a change the totals are still right, being single
 * words, but not the table: it begins anew, and until those who are in now
 * have gone their nets may have more than the cap. */
static void lock(struct connection_counts *counts)
{
    struct common *common = counts->common;
    if (robust_lock_take(&common->lock, LOCK_TO_CHANGE))
        return;
    shared_memory_clear(&counts->memory, SHARED_MEMORY_PAGE,
                        counts->memory.octets - SHARED_MEMORY_PAGE);
    robust_lock_mended(&common->lock);
}

static void unlock(struct connection_counts *counts)
{
    robust_lock_release(&counts->common->lock);
}

static struct expiring_key key_of(const struct connection_counts *counts,
                                  const struct ip *client)
{
    uint8_t net[9] = {client->is_v6 ? 6 : 4};
    struct expiring_key key;
    memcpy(net + 1, client->octets, client->is_v6 ? 8 : 4);
    key.words[0] = keyed_hash(counts->common->secret,
                              str_span((const char *)net, sizeof net));
    memcpy(&key.words[1], net + 1, sizeof key.words[1]);
    return key;
}

/* A place of the client's net; the lock is held. */
static enum connection_room take_of_net(struct connection_counts *counts,
                                        const struct ip *client)
{
    struct expiring_key key = key_of(counts, client);
    struct slot_counts *net = expiring_table_find(counts->nets, &key);
    uint64_t taken = net == NULL ? 0 : slot_counts_sum(net);
    if (taken >= counts->max_per_net)
        return CONNECTION_NET_FULL;
    if (net == NULL)
        net = expiring_table_make(counts->nets, &key, 0);
    if (net == NULL)
        return CONNECTION_FULL;
    slot_counts_add(net, counts->slot, 1);
    if (taken == 0)
        expiring_table_set(counts->nets, net, UINT64_MAX);
    return CONNECTION_TAKEN;
}

enum connection_room connection_counts_take(struct connection_counts *counts,
                                            const struct ip *client)
{
    enum connection_room room = CONNECTION_TAKEN;
    lock(counts);
    if (connection_counts_total(counts) >= counts->max)
        room = CONNECTION_FULL;
    else if (client != NULL)
        room = take_of_net(counts, client);
    if (room == CONNECTION_TAKEN)
        atomic_fetch_add(&counts->common->totals[counts->slot], 1);
    unlock(counts);
    return room;
}

enum connection_room connection_counts_name(struct connection_counts *counts,
                                            const struct ip *client)
{
    lock(counts);
    enum connection_room room = take_of_net(counts, client);
    unlock(counts);
    return room;
}

static void leave_if_empty(struct connection_counts *counts,
                           struct slot_counts *net)
{
    if (slot_counts_sum(net) == 0)
        expiring_table_set(counts->nets, net, 0);
}

static void give_of_net(struct connection_counts *counts,
                        const struct ip *client)
{
    struct expiring_key key = key_of(counts, client);
    struct slot_counts *net = expiring_table_find(counts->nets, &key);
    if (net == NULL) /* the table began anew since */
        return;
    slot_counts_lower(net, counts->slot, 1);
    leave_if_empty(counts, net);
}

void connection_counts_give(struct connection_counts *counts,
                            const struct ip *client)
{
    atomic_size_t *total = &counts->common->totals[counts->slot];
    lock(counts);
    if (atomic_load(total) > 0)
        atomic_fetch_sub(total, 1);
    if (client != NULL)
        give_of_net(counts, client);
    unlock(counts);
}

void connection_counts_forget(struct connection_counts *counts, unsigned slot)
{
    lock(counts);
    size_t count = expiring_table_count(counts->nets);
    for (size_t i = 0; i < count; i++) {
        struct slot_counts *net = expiring_table_at(counts->nets, i);
        if (slot_counts_take(net, slot) > 0)
            leave_if_empty(counts, net);
    }
    atomic_store(&counts->common->totals[slot], 0);
    unlock(counts);
}

bool connection_counts_is_crowded(const struct connection_counts *counts,
                                  uint64_t percent)
{
    return connection_counts_total(counts) >
           counts->max - counts->max * (100 - percent) / 100;
}

size_t connection_counts_total(const struct connection_counts *counts)
{
    size_t total = 0;
    for (size_t i = 0; i < SLOTS; i++)
        total += atomic_load_explicit(&counts->common->totals[i],
                                      memory_order_relaxed);
    return total;
}
