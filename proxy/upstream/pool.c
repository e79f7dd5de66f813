#include "proxy/upstream/pool.h"

#include "proxy/upstream/pool_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int open_login(struct pool *pool, const struct upstream_means *means)
{
    const struct upstream_settings *upstream = pool->upstream;
    if (upstream->login.kind == LOGIN_NONE)
        return 0;
    pool->book = means->books[upstream->index];
    if (upstream->login.kind == LOGIN_PASSWORD)
        return credential_book_own(pool->book, &pool->own);
    if (upstream->login.kind != LOGIN_TOKEN)
        return 0;
    pool->tokens =
        token_source_new(pool->loop, upstream, &means->runner, pool->book);
    return pool->tokens == NULL ? -1 : 0;
}

struct pool *pool_new(struct loop *loop, const struct settings *settings,
                      const struct upstream_settings *upstream,
                      const struct upstream_means *means,
                      const struct pool_logs *logs,
                      const struct pool_events *events, void *owner)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    /* Leases keep those they tried as bits. */
    assert(upstream->server_count <= UPSTREAM_SERVERS_MAX);
    *pool = (struct pool){
        .loop = loop,
        .settings = settings,
        .upstream = upstream,
        .tls = means->contexts[upstream->index],
        .log = logs->server,
        .events = events,
        .owner = owner,
        .server_count = upstream->server_count,
        .waiting_end = &pool->waiting,
    };
    pool->servers = calloc(pool->server_count, sizeof(*pool->servers));
    pool->sessions = calloc(pool->server_count, sizeof(*pool->sessions));
    pool->waiting_timer = timer_new(loop, pool_waiting_on_timer, pool);
    pool->watch_timer = timer_new(loop, pool_watch_on_timer, pool);
    pool->idle_timer = timer_new(loop, pool_idle_on_timer, pool);
    pool->spare_timer = timer_new(loop, pool_spare_on_timer, pool);
    if (pool->servers == NULL || pool->sessions == NULL ||
        pool->waiting_timer == NULL || pool->watch_timer == NULL ||
        pool->idle_timer == NULL || pool->spare_timer == NULL ||
        open_login(pool, means) != 0) {
        pool_free(pool);
        return NULL;
    }
    for (size_t i = 0; i < pool->server_count; i++)
        pool->servers[i].health = (struct server_health){
            .upstream = upstream->name,
            .server = upstream->servers[i].text,
            .loop = loop,
            .log = logs->server,
            .decisions = logs->decisions,
        };
    return pool;
}

void pool_report(struct pool *pool, struct health_board *board, size_t worker)
{
    for (size_t i = 0; i < pool->server_count; i++)
        pool->servers[i].health.place =
            (struct health_place){.board = board,
                                  .worker = worker,
                                  .upstream = pool->upstream->index,
                                  .server = i};
}

void pool_count_in(struct pool *pool, struct metrics_lane *lane)
{
    pool->lane = lane;
    for (size_t i = 0; i < pool->server_count; i++)
        pool->servers[i].numbers = metrics_server(
            lane, pool->upstream->name, pool->upstream->servers[i].text);
}

void pool_tell_counts(struct pool *pool)
{
    for (size_t i = 0; i < pool->server_count; i++) {
        struct pool_server *server = &pool->servers[i];
        const struct metrics_pool now = {.in_use = server->live - server->idle,
                                         .idle = server->idle};
        metrics_server_tell(pool->lane, server->numbers, &server->told, now);
    }
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        assert(m->lease == NULL);
        upstream_free(m->upstream);
        credentials_release(&m->personal);
        free(m);
    }
    token_source_free(pool->tokens);
    credentials_release(&pool->own);
    explicit_bzero(&pool->keys, sizeof(pool->keys));
    timer_free(pool->waiting_timer);
    timer_free(pool->watch_timer);
    timer_free(pool->idle_timer);
    timer_free(pool->spare_timer);
    for (size_t i = 0; pool->sessions != NULL && i < pool->server_count; i++)
        tls_sessions_release(&pool->sessions[i]);
    free(pool->sessions);
    free(pool->servers);
    free(pool);
}

void pool_close(struct pool *pool)
{
    pool->is_closing = true;
    timer_stop(pool->watch_timer);
    timer_stop(pool->spare_timer);
    struct pool_member *next;
    for (struct pool_member *m = pool->members; m != NULL; m = next) {
        next = m->next;
        if (m->use == MEMBER_IDLE)
            pool_member_quit(m);
        else if (m->use == MEMBER_PROBING || m->use == MEMBER_WARMING)
            pool_member_free(m);
    }
}

bool pool_is_empty(const struct pool *pool)
{
    return pool->members == NULL;
}

/* The AND over the servers that are up, or over all that were known once. */
static bool intersect_known(const struct pool *pool, bool only_up,
                            struct capabilities *out)
{
    bool has_any = false;
    for (size_t i = 0; i < pool->server_count; i++) {
        const struct server_health *server = &pool->servers[i].health;
        if (!server->is_known || (only_up && server->state != SERVER_UP))
            continue;
        if (has_any)
            capabilities_intersect(out, &server->capabilities);
        else
            *out = server->capabilities;
        has_any = true;
    }
    return has_any;
}

void pool_capabilities(const struct pool *pool, struct capabilities *out)
{
    if (intersect_known(pool, true, out) || intersect_known(pool, false, out))
        return;
    *out = (struct capabilities){
        .has_pipelining = true,
        .has_8bitmime = true,
        .has_enhanced_codes = true,
        .has_size = true,
    };
}
