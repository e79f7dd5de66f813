#include "proxy/upstream/server_health.h"

void server_health_up(struct server_health *health,
                      const struct capabilities *capabilities)
{
    if (health->state == SERVER_DOWN)
        server_log_write(health->log, SERVER_INFO,
                         "upstream %.*s: server %.*s is up again",
                         (int)health->upstream.n, health->upstream.p,
                         (int)health->server.n, health->server.p);
    health->state = SERVER_UP;
    health->is_known = true;
    health->capabilities = *capabilities;
}

void server_health_down(struct server_health *health, uint64_t now_ms,
                        const char *words)
{
    if (health->state != SERVER_DOWN)
        server_log_write(health->log, SERVER_WARNING,
                         "upstream %.*s: server %.*s is down: %s",
                         (int)health->upstream.n, health->upstream.p,
                         (int)health->server.n, health->server.p, words);
    health->state = SERVER_DOWN;
    health->rests_until_ms = now_ms + SERVER_REST_MS;
}

bool server_health_rests(const struct server_health *health, uint64_t now_ms)
{
    return health->state == SERVER_DOWN && now_ms < health->rests_until_ms;
}

void server_health_set_up(struct server_health *health, int code,
                          const char *words)
{
    if (code != 0 && code != health->set_up_code)
        server_log_write(health->log, SERVER_ERROR,
                         "upstream %.*s: server %.*s: %s",
                         (int)health->upstream.n, health->upstream.p,
                         (int)health->server.n, health->server.p, words);
    health->set_up_code = code;
}
