/* The holds of a remote ledger, by token. */
#include "proxy/budgets/remote_ledger_internal.h"

#include <stdlib.h>

#define BUCKETS_MIN 256

static struct remote_question **bucket_of(struct remote_question **buckets,
                                          size_t count, uint64_t token)
{
    return &buckets[token & (count - 1)];
}

/* Makes room for one more. 0, or -1: out of memory. */
int remote_holds_room(struct remote_ledger *remote)
{
    size_t count =
        remote->bucket_count == 0 ? BUCKETS_MIN : 2 * remote->bucket_count;
    if (remote->held_count < remote->bucket_count)
        return 0;
    struct remote_question **buckets = calloc(count, sizeof(*buckets));
    if (buckets == NULL)
        return remote->bucket_count == 0 ? -1 : 0;
    for (size_t i = 0; i < remote->bucket_count; i++)
        while (remote->buckets[i] != NULL) {
            struct remote_question *hold = remote->buckets[i];
            struct remote_question **at =
                bucket_of(buckets, count, hold->token);
            remote->buckets[i] = hold->next;
            hold->next = *at;
            *at = hold;
        }
    free(remote->buckets);
    remote->buckets = buckets;
    remote->bucket_count = count;
    return 0;
}

void remote_holds_put(struct remote_ledger *remote,
                      struct remote_question *hold)
{
    struct remote_question **at =
        bucket_of(remote->buckets, remote->bucket_count, hold->token);
    hold->next = *at;
    *at = hold;
    remote->held_count++;
}

struct remote_question *remote_holds_take(struct remote_ledger *remote,
                                          uint64_t token)
{
    if (remote->bucket_count == 0)
        return NULL;
    struct remote_question **at =
        bucket_of(remote->buckets, remote->bucket_count, token);
    while (*at != NULL && (*at)->token != token)
        at = &(*at)->next;
    struct remote_question *hold = *at;
    if (hold == NULL)
        return NULL;
    *at = hold->next;
    hold->next = NULL;
    remote->held_count--;
    return hold;
}
