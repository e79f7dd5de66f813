#include "proxy/upstream/upstream_check.h"

#include "proxy/upstream/lease.h"
#include "proxy/upstream/upstreams_internal.h"

#include <stdlib.h>

struct upstream_check {
    struct loop *loop;
    struct lease lease;
    struct kept_credentials credentials;
    void (*on_answer)(void *owner, enum upstream_check_result result);
    void *owner;
    enum upstream_check_result result;
    bool is_cancelled;
    struct loop_later later;
};

static void run_later(struct loop_later *later)
{
    struct upstream_check *check =
        (struct upstream_check *)((char *)later -
                                  offsetof(struct upstream_check, later));
    if (!check->is_cancelled)
        check->on_answer(check->owner, check->result);
    credentials_release(&check->credentials);
    free(check);
}

static void finish(struct upstream_check *check,
                   enum upstream_check_result result)
{
    check->result = result;
    loop_later(check->loop, &check->later);
}

static void on_lent(void *owner)
{
    struct upstream_check *check = owner;
    lease_end(&check->lease);
    finish(check, UPSTREAM_CHECK_OK);
}

static void on_refused(void *owner)
{
    struct upstream_check *check = owner;
    finish(check, fault_is_of_login(&check->lease.fault)
                      ? UPSTREAM_CHECK_REFUSED
                      : UPSTREAM_CHECK_UNAVAILABLE);
}

static const struct lease_events lease_events = {
    .on_lent = on_lent,
    .on_refused = on_refused,
};

struct upstream_check *upstream_check_start(
    struct upstreams *upstreams, const struct upstream_settings *upstream,
    const struct client_identity *client, const struct credentials *credentials,
    void (*on_answer)(void *owner, enum upstream_check_result result),
    void *owner)
{
    struct upstream_check *check = calloc(1, sizeof(*check));
    if (check == NULL)
        return NULL;
    *check = (struct upstream_check){
        .loop = upstreams->loop,
        .on_answer = on_answer,
        .owner = owner,
        .later.run = run_later,
    };
    if (credentials_keep(&check->credentials, credentials) != 0) {
        free(check);
        return NULL;
    }
    lease_init(&check->lease, upstreams->pools[upstream->index], client,
               &check->credentials.credentials, &lease_events, check);
    check->lease.is_fresh = true;
    enum lease_result result = lease_start(&check->lease);
    if (result == LEASE_LENT)
        on_lent(check);
    else if (result == LEASE_REFUSED)
        on_refused(check);
    return check;
}

void upstream_check_cancel(struct upstream_check *check)
{
    lease_drop(&check->lease);
    check->is_cancelled = true;
    loop_later(check->loop, &check->later);
}
