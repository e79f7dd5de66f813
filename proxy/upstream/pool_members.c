/* A member is in one list from its connect to its end; what it is used for
 * decides what its events mean. Members that say QUIT no longer count. */
#include "proxy/upstream/pool_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The only way to change what a member is used for: the counts follow. */
static void set_use(struct pool_member *member, enum member_use use)
{
    struct pool_server *server = &member->pool->servers[member->server];
    server->idle -= member->use == MEMBER_IDLE;
    server->idle += use == MEMBER_IDLE;
    server->live -= member->use != MEMBER_QUITTING && use == MEMBER_QUITTING;
    if (member->use == MEMBER_WARMING)
        server->is_warming = false;
    member->use = use;
}

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
    set_use(member, MEMBER_QUITTING);
    unlink_member(member);
    upstream_free(member->upstream);
    credentials_release(&member->personal);
    explicit_bzero(&member->keys, sizeof(member->keys));
    free(member);
    pool->events->on_emptied(pool->owner);
}

void pool_member_log(const struct pool_member *member, const char *words)
{
    const struct server_health *server =
        &member->pool->servers[member->server].health;
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
    set_use(member, MEMBER_QUITTING);
    upstream_quit(member->upstream);
}

static void on_member_ready(void *owner)
{
    struct pool_member *member = owner;
    struct pool *pool = member->pool;
    enum member_use use = member->use;
    if (use != MEMBER_RETURNING) {
        metrics_server_took(pool->servers[member->server].numbers,
                            LATENCY_CONNECT,
                            loop_clock_us(pool->loop) - member->started_us,
                            loop_wall_us(pool->loop));
        server_health_up(&pool->servers[member->server].health,
                         upstream_capabilities(member->upstream));
        pool_watch(pool);
    }
    if (use == MEMBER_CONNECTING) {
        set_use(member, MEMBER_LENT);
        member->lease->events->on_lent(member->lease->owner);
        pool_spare_fill(pool);
    } else {
        pool_settle(member);
    }
    if (use == MEMBER_PROBING)
        pool->events->on_probed(pool->owner);
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
    return member->personal.credentials.session.n > 0 &&
           fault_is_of_login(fault);
}

static bool is_connecting(enum member_use use)
{
    return use == MEMBER_PROBING || use == MEMBER_CONNECTING ||
           use == MEMBER_WARMING;
}

static void note_failure(struct pool_member *member, const struct fault *fault)
{
    struct pool *pool = member->pool;
    enum member_use use = member->use;
    if (is_connecting(use))
        metrics_server_failed(pool->servers[member->server].numbers);
    if (is_personal(member, fault)) {
        if (!is_guess(member, fault))
            server_log_write(pool->log, SERVER_ERROR, "upstream %.*s: %s",
                             (int)pool->upstream->name.n,
                             pool->upstream->name.p, fault->words);
    } else if (use == MEMBER_PROBING || use == MEMBER_CONNECTING ||
               (use == MEMBER_WARMING && fault->kind == FAULT_CONNECT)) {
        /* A server that greets no more may have enough of us: what nobody
         * waits for is no reason to think that it is down. */
        server_health_down(&pool->servers[member->server].health, fault);
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
    enum member_use use = member->use;
    (void)in;
    if (use == MEMBER_WARMING || use == MEMBER_IDLE)
        pool_spare_rest(pool, member->server);
    note_failure(member, fault);
    if (lease != NULL) {
        lease->fault = *fault;
        lease->tried |= 1ULL << member->server;
        lease->member = NULL;
    }
    pool_member_free(member);
    pool_watch(pool);
    if (lease != NULL)
        lease_tell(lease, is_final ? LEASE_REFUSED : lease_seek(lease));
    pool_serve_waiting(pool);
    pool_spare_fill(pool);
    if (use == MEMBER_PROBING)
        pool->events->on_probed(pool->owner);
}

const struct upstream_events pool_member_events = {
    .on_ready = on_member_ready,
    .on_reply = on_member_reply,
    .on_room = on_member_room,
    .on_failed = on_member_failed,
};

/* Whether a connection that was made for nobody serves nobody. */
static bool needs_lease(const struct upstream_settings *upstream)
{
    return upstream->identity == IDENTITY_PROXY_V2 ||
           upstream->login.kind == LOGIN_BY_FACT ||
           upstream->login.kind == LOGIN_OF_CLIENT;
}

/* The password that its file holds by now. Those that log in meanwhile take
 * a copy when they come to it. Without memory the old one serves. */
static void renew_login(struct pool *pool)
{
    struct kept_credentials fresh;
    uint64_t edition = pool->book == NULL ? pool->edition
                                          : credential_book_edition(pool->book);
    if (edition == pool->edition ||
        credential_book_own(pool->book, &fresh) != 0)
        return;
    credentials_release(&pool->own);
    explicit_bzero(&pool->keys, sizeof pool->keys);
    pool->own = fresh;
    pool->edition = edition;
}

struct pool_member *pool_member_new(struct pool *pool, size_t server,
                                    enum member_use use,
                                    const struct lease *lease)
{
    struct pool_member *member = calloc(1, sizeof(*member));
    if (member == NULL)
        return NULL;
    const struct credentials *personal =
        lease == NULL ? NULL : lease->credentials;
    renew_login(pool);
    const struct credentials *own =
        pool->own.octets == NULL ? NULL : &pool->own.credentials;
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
        .sessions = &pool->sessions[server],
        .log = pool->log,
        .credentials = personal == NULL ? own : &member->personal.credentials,
        .tokens = pool->tokens,
        .keys = personal == NULL ? &pool->keys : &member->keys,
    };
    member->upstream =
        upstream_start(&target, lease == NULL ? NULL : lease->client,
                       &pool_member_events, member);
    if (member->upstream == NULL) {
        credentials_release(&member->personal);
        free(member);
        return NULL;
    }
    member->pool = pool;
    member->server = server;
    member->use = use;
    member->is_spent = lease == NULL && needs_lease(pool->upstream);
    member->started_us = loop_clock_us(pool->loop);
    link_member(member);
    metrics_server_opened(pool->servers[server].numbers);
    pool->servers[server].live++;
    pool->servers[server].is_warming |= use == MEMBER_WARMING;
    server_health_try(&pool->servers[server].health);
    return member;
}

void pool_lend(struct pool_member *member, struct lease *lease)
{
    set_use(member, MEMBER_LENT);
    member->is_reused = true;
    member->lease = lease;
    lease->member = member;
    lease->server = member->pool->servers[member->server].health.server;
    pool_spare_fill(member->pool);
}

/* What we would let it serve, and what it says it would: RFC 9422 3.1. */
static uint64_t most_transactions(const struct pool_member *member)
{
    uint64_t ours = member->pool->upstream->pool_transactions;
    uint64_t theirs = upstream_capabilities(member->upstream)->mail_max;
    return theirs > 0 && theirs < ours ? theirs : ours;
}

static bool may_stay(const struct pool_member *member)
{
    const struct pool *pool = member->pool;
    return !pool->is_closing && !member->is_spent &&
           upstream_is_clean(member->upstream) &&
           upstream_transactions(member->upstream) <
               most_transactions(member) &&
           pool->servers[member->server].live <= pool->upstream->pool_max;
}

void pool_settle(struct pool_member *member)
{
    struct pool *pool = member->pool;
    if (may_stay(member)) {
        unlink_member(member);
        link_member(member);
        set_use(member, MEMBER_IDLE);
        pool_idle_note(member);
    } else {
        /* Of no use from the beginning: the next would be as well. */
        if (upstream_transactions(member->upstream) == 0)
            pool_spare_rest(pool, member->server);
        pool_member_quit(member);
    }
    pool_serve_waiting(pool);
    pool_spare_fill(pool);
}
