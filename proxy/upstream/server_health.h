/* What one worker knows of one server of an upstream: whether it answers, and
 * what its EHLO said last. A server that failed rests for a while: it is then
 * asked after the others. Changes are logged, a line each in the server log
 * and in the decision log. */
#ifndef PROXY_UPSTREAM_SERVER_HEALTH_H
#define PROXY_UPSTREAM_SERVER_HEALTH_H

#include "config/settings.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "proxy/net/loop.h"
#include "proxy/smtp/capability.h"
#include "proxy/upstream/health_board.h"
#include "proxy/upstream/outcome.h"

#define SERVER_REST_MS 10000
/* One that is down is asked again after this rest, then after twice the one
 * before, up to the longest; one that is up when nothing was heard of it for
 * so long. */
#define SERVER_REST_LONGEST_MS 60000
#define SERVER_FRESH_MS 300000

struct server_health {
    struct str upstream; /* the names for the log, borrowed */
    struct str server;
    struct loop *loop;
    struct server_log *log;
    struct decision_log *decisions; /* NULL: none */
    struct health_place place;      /* where changes are posted */
    enum server_state state;
    uint64_t since_ms; /* when that began */
    uint64_t rests_until_ms;
    uint64_t rest_ms;      /* the last one; 0: it was up since */
    uint64_t ask_again_ms; /* when its EHLO is asked for again */
    bool is_known;         /* capabilities are those of some EHLO */
    struct capabilities capabilities;
    int set_up_code; /* the last such fault that was logged; 0: none */
};

void server_health_up(struct server_health *health,
                      const struct capabilities *capabilities);
void server_health_down(struct server_health *health,
                        const struct fault *fault);
/* A connection to it is being made. If it is down one at a time is enough to
 * find out: it rests for the others. */
void server_health_try(struct server_health *health);
bool server_health_rests(const struct server_health *health);
/* It refused what only a wrong set-up explains; code 0: it accepted again. */
void server_health_set_up(struct server_health *health, int code,
                          const char *words);

#endif
