/* Which idle connections are used, kept and made.
 *
 * Of the idle connections to a server those used last are its spare ones. They
 * stay whatever their age, and where there are too few more are made: one at a
 * time, to a server that is up, and not soon again where that fails or the
 * server ends what nobody has used. */
#include "proxy/upstream/pool_internal.h"

#include <assert.h>

static bool has_same_login(const struct lease *lease,
                           const struct pool_member *member)
{
    if (lease->credentials == NULL || member->personal.octets == NULL)
        return lease->credentials == NULL && member->personal.octets == NULL;
    return credentials_equal(lease->credentials, &member->personal.credentials);
}

bool pool_member_suits(const struct pool_member *member,
                       const struct lease *lease)
{
    return has_same_login(lease, member) &&
           upstream_suits(member->upstream, lease->client);
}

struct pool_member *pool_find_idle(struct pool *pool, size_t server,
                                   const struct lease *lease)
{
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use != MEMBER_IDLE || m->server != server)
            continue;
        if (!upstream_is_clean(m->upstream)) {
            pool_spare_rest(pool, server);
            pool_member_free(m);
        } else if (pool_member_suits(m, lease))
            return m;
    }
    return NULL;
}

void pool_evict_idle(struct pool *pool, size_t server)
{
    struct pool_member *last = NULL;
    for (struct pool_member *m = pool->members; m != NULL; m = m->next)
        if (m->use == MEMBER_IDLE && m->server == server)
            last = m;
    assert(last != NULL);
    pool_member_quit(last);
}

static bool is_of_client(const struct pool_member *member,
                         const struct client_identity *client,
                         struct str session)
{
    const struct upstream_settings *upstream = member->pool->upstream;
    if (upstream->login.kind == LOGIN_OF_CLIENT)
        return str_equals(member->personal.credentials.session, session);
    return upstream->identity == IDENTITY_PROXY_V2 &&
           upstream_suits(member->upstream, client);
}

void pool_client_left(struct pool *pool, const struct client_identity *client,
                      struct str session)
{
    const struct upstream_settings *upstream = pool->upstream;
    struct pool_member *next;
    if (upstream->login.kind != LOGIN_OF_CLIENT &&
        upstream->identity != IDENTITY_PROXY_V2)
        return;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use == MEMBER_QUITTING || !is_of_client(m, client, session))
            continue;
        m->is_spent = true;
        if (m->use == MEMBER_IDLE)
            pool_member_quit(m);
    }
    pool_serve_waiting(pool);
}

static void arm(struct timer *timer, uint64_t now, uint64_t first)
{
    if (first == UINT64_MAX)
        timer_stop(timer);
    else
        timer_start(timer, first > now ? first - now : 0);
}

void pool_idle_note(struct pool_member *member)
{
    struct pool *pool = member->pool;
    member->idle_since_ms = loop_now_ms(pool->loop);
    if (pool->is_idle_timed)
        return;
    pool->is_idle_timed = true;
    timer_start(pool->idle_timer, pool->upstream->pool_idle_ms);
}

/* Ends those of a server that are neither spare nor young; returns when the
 * next one is due. */
static uint64_t sweep(struct pool *pool, size_t server, uint64_t now)
{
    uint64_t spare = pool->upstream->pool_spare;
    uint64_t first = UINT64_MAX;
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use != MEMBER_IDLE || m->server != server)
            continue;
        uint64_t until = m->idle_since_ms + pool->upstream->pool_idle_ms;
        if (spare > 0)
            spare--;
        else if (until <= now)
            pool_member_quit(m);
        else if (until < first)
            first = until;
    }
    return first;
}

void pool_idle_on_timer(void *owner)
{
    struct pool *pool = owner;
    uint64_t now = loop_now_ms(pool->loop);
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < pool->server_count; i++) {
        uint64_t due = sweep(pool, i, now);
        if (due < first)
            first = due;
    }
    pool->is_idle_timed = first != UINT64_MAX;
    arm(pool->idle_timer, now, first);
}

static bool wants_spare(const struct pool *pool, size_t server)
{
    const struct pool_server *at = &pool->servers[server];
    return at->idle < pool->upstream->pool_spare && !at->is_warming &&
           at->live < pool->upstream->pool_max && at->health.state == SERVER_UP;
}

void pool_spare_rest(struct pool *pool, size_t server)
{
    pool->servers[server].spare_again_ms =
        loop_now_ms(pool->loop) + SERVER_REST_MS;
}

void pool_spare_fill(struct pool *pool)
{
    uint64_t now = loop_now_ms(pool->loop);
    uint64_t first = UINT64_MAX;
    /* Those who wait come first. */
    if (pool->upstream->pool_spare == 0 || pool->is_closing ||
        pool->waiting != NULL)
        return;
    for (size_t i = 0; i < pool->server_count; i++) {
        struct pool_server *server = &pool->servers[i];
        if (!wants_spare(pool, i))
            continue;
        if (server->spare_again_ms <= now &&
            pool_member_new(pool, i, MEMBER_WARMING, NULL) == NULL)
            pool_spare_rest(pool, i);
        if (server->spare_again_ms > now && server->spare_again_ms < first)
            first = server->spare_again_ms;
    }
    arm(pool->spare_timer, now, first);
}

void pool_spare_on_timer(void *owner)
{
    pool_spare_fill(owner);
}
