#include "proxy/login/failure_delay.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rules/expiring_table.h"

#define FREE_FAILURES 2
#define FIRST_DELAY_MS 1000
#define FORGET_MS 60000 /* one failure */
/* As much as anybody has, so that the longest delay ends an hour after. */
#define FAILURES_OF_ONE_MAX 60

/* The time at which nothing is remembered any more says how many failures
 * still are. */
struct failures_of_one {
    uint64_t until_ms;
};

struct failure_delay {
    pthread_mutex_t lock;
    uint8_t secret[KEYED_HASH_SECRET];
    struct expiring_table *table;
};

struct failure_delay *failure_delay_new(size_t max)
{
    struct failure_delay *failures = calloc(1, sizeof *failures);
    if (failures == NULL)
        return NULL;
    failures->table = expiring_table_new(max, sizeof(struct failures_of_one));
    if (failures->table == NULL ||
        getrandom(failures->secret, sizeof failures->secret, 0) !=
            (ssize_t)sizeof failures->secret) {
        expiring_table_free(failures->table);
        free(failures);
        return NULL;
    }
    pthread_mutex_init(&failures->lock, NULL);
    return failures;
}

void failure_delay_free(struct failure_delay *failures)
{
    if (failures == NULL)
        return;
    expiring_table_free(failures->table);
    pthread_mutex_destroy(&failures->lock);
    free(failures);
}

/* With the lock held: how many there are with this one. */
static uint64_t count(struct failure_delay *failures, struct str what,
                      struct str text, uint64_t now_ms)
{
    const struct str parts[] = {what, text};
    const uint64_t most_ms = now_ms + FAILURES_OF_ONE_MAX * FORGET_MS;
    if (text.n == 0)
        return 0;
    struct expiring_key key = expiring_key(failures->secret, parts, 2);
    struct failures_of_one *one =
        expiring_table_make_anyhow(failures->table, &key, now_ms);
    if (one == NULL)
        return 0;
    if (one->until_ms < now_ms)
        one->until_ms = now_ms;
    one->until_ms += FORGET_MS;
    if (one->until_ms > most_ms)
        one->until_ms = most_ms;
    expiring_table_set(failures->table, one, one->until_ms);
    return (one->until_ms - now_ms + FORGET_MS - 1) / FORGET_MS;
}

static uint64_t delay_of(uint64_t failures, uint64_t most_ms)
{
    uint64_t ms = failures > FREE_FAILURES ? FIRST_DELAY_MS : 0;
    for (uint64_t i = FREE_FAILURES + 1; i < failures && ms < most_ms; i++)
        ms *= 2;
    return ms < most_ms ? ms : most_ms;
}

uint64_t failure_delay_note(struct failure_delay *failures, struct str net,
                            struct str name, uint64_t now_ms, uint64_t most_ms)
{
    pthread_mutex_lock(&failures->lock);
    uint64_t of_net = count(failures, STR("net"), net, now_ms);
    uint64_t of_name = count(failures, STR("name"), name, now_ms);
    pthread_mutex_unlock(&failures->lock);
    return delay_of(of_net > of_name ? of_net : of_name, most_ms);
}
