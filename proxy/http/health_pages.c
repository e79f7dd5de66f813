/* /healthz: restart it if this fails. /readyz: send it no mail if this does. */
#include "proxy/http/http_routes.h"

enum http_next http_healthz(struct http_job *job)
{
    if (job->means->is_alive(job->means->owner))
        return http_say(job, 200, "ok");
    return http_say(job, 503, "an event loop does not turn");
}

static bool is_up(struct health_board *board,
                  const struct upstream_settings *upstream)
{
    if (upstream->maildir != NULL)
        return true;
    for (size_t i = 0; i < upstream->server_count; i++) {
        struct health_sum sum;
        health_board_sum(board, upstream->index, i, &sum);
        if (sum.up > 0)
            return true;
    }
    return false;
}

enum http_next http_readyz(struct http_job *job)
{
    const struct controlled *c = job->means->controlled;
    const char *why = job->means->why_not_ready(job->means->owner);
    if (why != NULL)
        return http_say(job, 503, "%s", why);
    if (!decision_log_takes_mail(c->decisions))
        return http_say(job, 503,
                        "decisions can't be logged: mail is deferred "
                        "(log.strict); the server log says why");
    for (size_t i = 0; i < c->settings->upstream_count; i++)
        if (is_up(c->health, &c->settings->upstreams[i]))
            return http_say(job, 200, "ready");
    return http_say(job, 503,
                    "no server of any upstream is up: mail is deferred; "
                    "`postern status` says why");
}
