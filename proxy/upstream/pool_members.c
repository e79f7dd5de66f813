/* A member is in one list from its connect to its end; what it is used for
 * decides what its events mean. Members that say QUIT no longer count. */
#include "proxy/upstream/pool_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void unlink_member(struct pool_member *member)
{
    struct pool_member **at = &member->pool->members;
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
}

static void link_member(struct pool_member *member)
{
    member->next = member->pool->members;
    member->pool->members = member;
}

void pool_member_free(struct pool_member *member)
{
    struct pool *pool = member->pool;
    if (member->use != MEMBER_QUITTING)
        pool->live--;
    unlink_member(member);
    upstream_free(member->upstream);
    credentials_release(&member->personal);
    explicit_bzero(&member->keys, sizeof(member->keys));
    free(member);
    pool->events->on_emptied(pool->owner);
}

void pool_member_log(const struct pool_member *member, const char *words)
{
    const struct server_health *server = &member->pool->servers[member->server];
    server_log_write(member->pool->log, SERVER_INFO,
                     "upstream %.*s: server %.*s: a connection is given up: %s",
                     (int)server->upstream.n, server->upstream.p,
                     (int)server->server.n, server->server.p, words);
}

void pool_member_quit(struct pool_member *member)
{
    if (!upstream_is_clean(member->upstream)) {
        pool_member_log(member, "it spoke unasked");
        pool_member_free(member);
        return;
    }
    member->use = MEMBER_QUITTING;
    member->pool->live--;
    upstream_quit(member->upstream);
}

static void on_member_ready(void *owner)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    if (member->use == MEMBER_RETURNING) {
        pool_settle(member);
        return;
    }
    server_health_up(&pool->servers[member->server],
                     upstream_capabilities(member->upstream));
    pool_watch(pool);
    if (member->use == MEMBER_PROBING) {
        pool_settle(member);
        pool->events->on_probed(pool->owner);
        return;
    }
    assert(member->use == MEMBER_CONNECTING);
    member->use = MEMBER_LENT;
    member->lease->events->on_lent(member->lease->owner);
}

/* Only of a connection that came back with the final dot unanswered. */
static void on_member_reply(void *owner, enum upstream_state asked,
                            const struct reply *reply)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    (void)asked;
    (void)reply;
    if (upstream_state(member->upstream) == UPSTREAM_READY)
        pool_settle(member);
    else
        pool_member_free(member);
    pool_serve_waiting(pool);
}

static void on_member_room(void *owner)
{
    (void)owner;
}

/* Somebody's own login that was refused says nothing of the server. */
static bool is_personal(const struct pool_member *member,
                        const struct fault *fault)
{
    return member->personal.octets != NULL && fault->kind == FAULT_SET_UP;
}

/* A client's guesses at a password are in the decision log. */
static bool is_guess(const struct pool_member *member,
                     const struct fault *fault)
{
    return member->personal.credentials.session.n > 0 && fault->code != 0 &&
           fault->code != 250;
}

static void note_failure(struct pool_member *member, const struct fault *fault)
{
    struct pool *pool = member->pool;
    enum member_use use = member->use;
    if (is_personal(member, fault)) {
        if (!is_guess(member, fault))
            server_log_write(pool->log, SERVER_ERROR, "upstream %.*s: %s",
                             (int)pool->upstream->name.n,
                             pool->upstream->name.p, fault->words);
    } else if (use == MEMBER_PROBING || use == MEMBER_CONNECTING) {
        server_health_down(&pool->servers[member->server], fault);
    } else if ((use == MEMBER_IDLE || use == MEMBER_RETURNING) &&
               (fault->kind == FAULT_PROTOCOL || fault->kind == FAULT_SILENT)) {
        /* That it was closed is no fault. */
        pool_member_log(member, fault->words);
    }
}

static void on_member_failed(void *owner, enum upstream_state in,
                             const struct fault *fault)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    struct lease *lease = member->lease;
    bool is_final = is_personal(member, fault);
    bool is_probe = member->use == MEMBER_PROBING;
    (void)in;
    note_failure(member, fault);
    if (lease != NULL) {
        lease->fault = *fault;
        lease->tried |= 1ULL << member->server;
        lease->member = NULL;
    }
    pool_member_free(member);
    pool_watch(pool);
    if (lease != NULL)
        lease_tell(lease, is_final ? LEASE_REFUSED : lease_start(lease));
    pool_serve_waiting(pool);
    if (is_probe)
        pool->events->on_probed(pool->owner);
}

const struct upstream_events pool_member_events = {
    .on_ready = on_member_ready,
    .on_reply = on_member_reply,
    .on_room = on_member_room,
    .on_failed = on_member_failed,
};

struct pool_member *pool_member_new(struct pool *pool, size_t server,
                                    enum member_use use,
                                    const struct credentials *personal)
{
    struct pool_member *member = calloc(1, sizeof(*member));
    if (member == NULL)
        return NULL;
    if (credentials_keep(&member->personal, personal) != 0) {
        free(member);
        return NULL;
    }
    struct upstream_target target = {
        .loop = pool->loop,
        .settings = pool->settings,
        .upstream = pool->upstream,
        .server = &pool->upstream->servers[server],
        .tls = pool->tls,
        .log = pool->log,
        .credentials = personal == NULL ? pool->credentials
                                        : &member->personal.credentials,
        .tokens = pool->tokens,
        .keys = personal == NULL ? &pool->keys : &member->keys,
    };
    member->upstream = upstream_start(&target, &pool_member_events, member);
    if (member->upstream == NULL) {
        credentials_release(&member->personal);
        free(member);
        return NULL;
    }
    member->pool = pool;
    member->server = server;
    member->use = use;
    link_member(member);
    pool->live++;
    return member;
}

void pool_lend(struct pool_member *member, struct lease *lease)
{
    member->use = MEMBER_LENT;
    member->is_reused = true;
    member->lease = lease;
    lease->member = member;
    lease->server = member->pool->servers[member->server].server;
}

static bool has_same_login(const struct lease *lease,
                           const struct pool_member *member)
{
    if (lease->credentials == NULL || member->personal.octets == NULL)
        return lease->credentials == NULL && member->personal.octets == NULL;
    return credentials_equal(lease->credentials, &member->personal.credentials);
}

static bool lease_accepts(const struct lease *lease,
                          const struct pool_member *member)
{
    return !lease->is_fresh && (lease->tried & (1ULL << member->server)) == 0 &&
           has_same_login(lease, member) &&
           upstream_suits(member->upstream, lease->client);
}

/* What we would let it serve, and what it says it would: RFC 9422 3.1. */
static uint64_t most_transactions(const struct pool_member *member)
{
    uint64_t ours = member->pool->upstream->pool_transactions;
    uint64_t theirs = upstream_capabilities(member->upstream)->mail_max;
    return theirs > 0 && theirs < ours ? theirs : ours;
}

/* A connection that is between transactions: to who waits, to rest, or away. */
void pool_settle(struct pool_member *member)
{
    struct pool *pool = member->pool;
    const struct upstream_settings *settings = pool->upstream;
    struct lease *lease = pool->waiting;
    bool may_stay =
        !pool->is_closing && upstream_is_clean(member->upstream) &&
        upstream_transactions(member->upstream) < most_transactions(member) &&
        pool->live <= settings->pool_max &&
        (lease == NULL || lease_accepts(lease, member));
    if (!may_stay) {
        pool_member_quit(member);
        pool_serve_waiting(pool);
        return;
    }
    unlink_member(member);
    link_member(member);
    member->use = MEMBER_IDLE;
    if (lease == NULL)
        return;
    pool_waiting_remove(pool, lease);
    pool_lend(member, lease);
    lease->events->on_lent(lease->owner);
}

/* An idle connection to a server for that lease, the one used last; those that
 * something came in on unasked are dropped on the way. */
struct pool_member *pool_find_idle(struct pool *pool, size_t server,
                                   const struct lease *lease)
{
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use != MEMBER_IDLE || m->server != server)
            continue;
        if (!upstream_is_clean(m->upstream))
            pool_member_free(m);
        else if (lease_accepts(lease, m))
            return m;
    }
    return NULL;
}

/* Makes room by ending an idle connection, the one used longest ago. */
bool pool_evict_idle(struct pool *pool)
{
    struct pool_member *last = NULL;
    for (struct pool_member *m = pool->members; m != NULL; m = m->next)
        if (m->use == MEMBER_IDLE)
            last = m;
    if (last == NULL)
        return false;
    pool_member_quit(last);
    return true;
}
