/* The inside of struct upstreams, for the deliveries. For this folder only. */
#ifndef PROXY_UPSTREAM_UPSTREAMS_INTERNAL_H
#define PROXY_UPSTREAM_UPSTREAMS_INTERNAL_H

#include "proxy/net/timer.h"
#include "proxy/upstream/pool.h"
#include "proxy/upstream/upstreams.h"

struct upstreams {
    struct loop *loop;
    const struct settings *settings;
    struct server_log *log;
    struct decision_log *decisions;       /* NULL: none */
    struct pool **pools;                  /* by index; NULL: a Maildir */
    struct credential_book *const *books; /* the same; NULL: no login */

    size_t probes_due;
    struct timer *probe_timer;
    void (*on_probed)(void *owner);
    void *probe_owner;

    bool is_closing;
    void (*on_closed)(void *owner);
    void *close_owner;

    size_t maildir_busy;       /* Maildir deliveries not yet freed */
    uint64_t maildir_sequence; /* for their names */
    bool is_freed;
    struct loop_later later;
};

/* A Maildir delivery has gone. */
void upstreams_maildir_done(struct upstreams *upstreams);

#endif
