/* The memory: what is common, then the shards, each from a page of its own, so
 * that one can be emptied by giving its pages back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>
#include <fcntl.h>

#include "proxy/budgets/shared_ledger_internal.h"

#define MAGIC 0x3152474c4e525450 /* "PTRNLGR1" */
/* One more with every change of what lies in the memory, in rules/ too: its
 * meaning, not only its sizes. */
#define LAYOUT 1
#define KEYS_MAX ((uint64_t)1 << 30)

static size_t pages(size_t octets)
{
    return (octets + SHARED_MEMORY_PAGE - 1) / SHARED_MEMORY_PAGE *
           SHARED_MEMORY_PAGE;
}

static size_t shard_keys(uint64_t max_keys)
{
    return (size_t)max_keys / SHARDS + 1;
}

static size_t shard_octets(uint64_t max_keys)
{
    return pages(ledger_octets(shard_keys(max_keys)));
}

static size_t octets(uint64_t max_keys)
{
    if (max_keys > KEYS_MAX)
        return 0;
    return pages(sizeof(struct shared_ledger_common)) +
           SHARDS * shard_octets(max_keys);
}

static const struct shared_memory_kind KIND = {
    "postern-budgets", MAGIC, (uint64_t)LAYOUT << 32 | sizeof(pthread_mutex_t),
    octets};

static size_t shard_offset(const struct shared_ledger *shared, size_t shard)
{
    return pages(sizeof(struct shared_ledger_common)) +
           shard * shard_octets(shared->common->head.capacity);
}

/* --- locking --- */

/* Nobody knows what the change had done. Its journal must be written anew,
 * which a lost change says. */
static void empty_shard(struct shared_ledger *shared, size_t shard)
{
    struct shared_ledger_common *common = shared->common;
    shared_memory_clear(&shared->memory, shard_offset(shared, shard),
                        shard_octets(common->head.capacity));
    if (atomic_load(&common->is_watched))
        ledger_watch(shared->shards[shard]);
    ledger_lose(shared->shards[shard]);
    atomic_fetch_add(&common->emptied, 1);
}

struct ledger *shared_ledger_lock(struct shared_ledger *shared, size_t shard,
                                  enum robust_lock_use use)
{
    struct robust_lock *lock = &shared->common->locks[shard].lock;
    if (!robust_lock_take(lock, use)) {
        empty_shard(shared, shard);
        robust_lock_mended(lock);
    }
    return shared->shards[shard];
}

void shared_ledger_unlock(struct shared_ledger *shared, size_t shard)
{
    robust_lock_release(&shared->common->locks[shard].lock);
}

/* --- opening --- */

static struct shared_ledger *prepare(void)
{
    struct shared_ledger *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    shared->event = shared->memory.fd = -1;
    return shared;
}

/* Over the memory that it has. */
static int place_shards(struct shared_ledger *shared, unsigned slot)
{
    struct shared_ledger_common *common = shared->memory.at;
    shared->common = common;
    shared->epoch_ms = common->epoch_ms;
    memcpy(shared->secret, common->secret, sizeof shared->secret);
    for (size_t i = 0; i < SHARDS; i++) {
        char *at = (char *)shared->memory.at + shard_offset(shared, i);
        shared->shards[i] = ledger_place(at, shard_keys(common->head.capacity),
                                         common->secret, slot);
        if (shared->shards[i] == NULL) {
            errno = ENOMEM;
            return -1;
        }
    }
    return 0;
}

static int fill_common(struct shared_ledger *shared, const uint8_t secret[16],
                       uint64_t epoch_ms)
{
    struct shared_ledger_common *common = shared->memory.at;
    memcpy(common->secret, secret, sizeof common->secret);
    common->epoch_ms = epoch_ms;
    for (size_t i = 0; i < SHARDS; i++)
        if (robust_lock_init(&common->locks[i].lock, shared->memory.fd >= 0) !=
            0)
            return -1;
    return 0;
}

static struct shared_ledger *fail(struct shared_ledger *shared)
{
    int error = errno;
    shared_ledger_free(shared);
    errno = error;
    return NULL;
}

struct shared_ledger *shared_ledger_new_kept(size_t max_keys,
                                             const uint8_t secret[16],
                                             uint64_t epoch_ms)
{
    struct shared_ledger *shared = prepare();
    if (shared == NULL ||
        shared_memory_create_private(&shared->memory, &KIND, max_keys) != 0 ||
        fill_common(shared, secret, epoch_ms) != 0 ||
        place_shards(shared, 0) != 0)
        return fail(shared);
    return shared;
}

struct shared_ledger *shared_ledger_new(size_t max_keys)
{
    uint8_t secret[16];
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
        return NULL;
    struct shared_ledger *shared = shared_ledger_new_kept(max_keys, secret, 0);
    explicit_bzero(secret, sizeof secret);
    return shared;
}

struct shared_ledger *shared_ledger_create(size_t max_keys,
                                           const uint8_t secret[16],
                                           uint64_t epoch_ms, unsigned slot)
{
    struct shared_ledger *shared = prepare();
    if (shared == NULL)
        return NULL;
    shared->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (shared->event < 0 ||
        shared_memory_create(&shared->memory, &KIND, max_keys) != 0 ||
        fill_common(shared, secret, epoch_ms) != 0 ||
        place_shards(shared, slot) != 0)
        return fail(shared);
    return shared;
}

enum shared_ledger_attached shared_ledger_attach(int memory, int event,
                                                 unsigned slot,
                                                 struct shared_ledger **out)
{
    struct shared_ledger *shared = prepare();
    *out = NULL;
    if (shared == NULL)
        return SHARED_LEDGER_FAILED;
    int result = shared_memory_attach(&shared->memory, &KIND, memory);
    if (result == 0)
        shared->event = fcntl(event, F_DUPFD_CLOEXEC, 0);
    if (result != 0 || shared->event < 0 || place_shards(shared, slot) != 0) {
        (void)fail(shared);
        return result == SHARED_MEMORY_FOREIGN ? SHARED_LEDGER_FOREIGN
                                               : SHARED_LEDGER_FAILED;
    }
    shared_ledger_forget(shared, slot);
    *out = shared;
    return SHARED_LEDGER_ATTACHED;
}

void shared_ledger_free(struct shared_ledger *shared)
{
    if (shared == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        ledger_free(shared->shards[i]);
    shared_memory_close(&shared->memory);
    if (shared->event >= 0)
        close(shared->event);
    explicit_bzero(shared->secret, sizeof shared->secret);
    free(shared);
}
