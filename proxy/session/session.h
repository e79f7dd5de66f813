/* One client's session: greeting to QUIT. Reads commands from its stream,
 * asks the rules at each stage, hands vetted transactions to a delivery, and
 * writes the replies. Belongs to one loop. It frees itself at the end of the
 * turn in which all that it started has ended, and says so to its host. */
#ifndef PROXY_SESSION_SESSION_H
#define PROXY_SESSION_SESSION_H

#include "config/settings.h"
#include "proxy/ask/asks.h"
#include "proxy/budgets/budget_store.h"
#include "proxy/log/decision_log.h"
#include "proxy/log/json_line.h"
#include "proxy/log/server_log.h"
#include "proxy/login/login.h"
#include "proxy/metrics/metrics.h"
#include "proxy/net/loop.h"
#include "proxy/tls/tls_context.h"
#include "proxy/upstream/upstreams.h"
#include "rules/base/arena.h"
#include "rules/cidr.h"
#include "rules/evaluate.h"

struct session;

/* What the sessions of one worker share. All borrowed; outlives them. */
struct session_host {
    struct loop *loop;
    /* What no reload changes: listeners, upstreams, caps. Its rules may be
     * gone. */
    const struct settings *settings;
    /* The newest snapshot: a session takes it up at its start, and each
     * transaction at its MAIL. */
    const struct settings *policy;
    struct tls_context *const *tls; /* by the listener's index; NULL: none */
    struct upstreams *upstreams;
    struct login_client *logins;
    struct budget_store budgets;
    struct shared_ledger *shadow_ledger; /* of settings->shadow; NULL: none */
    struct asks *asks;                   /* NULL: no policy servers */
    struct evaluate_scratch *scratch;
    struct decision_lane *decisions;
    struct server_log *log;
    struct metrics_lane *metrics; /* NULL: nobody counts */
    /* Behind a balancer the client is known by now: takes a place of its
     * net. False: there is none left. */
    bool (*on_client_named)(void *owner, const struct ip *client);
    /* A session has been freed; the client it served, NULL when its net has
     * no place of it. */
    void (*on_session_freed)(void *owner, const struct ip *client);
    /* Whether the server is nearly full, so that logins must be quick. */
    bool (*is_crowded)(void *owner);
    void *owner;
    struct spare_blocks spare; /* of transactions that ended */
    struct json_line log_line; /* memory of the last line, for the next */
    struct session *sessions;  /* the live ones, a list of the sessions' own */
    bool is_stopping;
};

/* Whether a PROXY header must come from there first. */
bool listener_is_balanced(const struct listener_settings *listener,
                          const struct ip *peer);

/* Starts a session on a connected socket, which it owns from now on. NULL
 * when out of memory or when the client has gone (the socket is closed). */
struct session *session_start(struct session_host *host,
                              const struct listener_settings *listener, int fd);

/* Octets that they hold, but for buffers of the system and of TLS. A walk over
 * all. */
uint64_t sessions_held(const struct session_host *host);

/* A stop: sessions outside a transaction get 421 and end; others finish
 * theirs first. */
void sessions_stop(struct session_host *host);
/* Ends all at once. */
void sessions_abort(struct session_host *host);

#endif
