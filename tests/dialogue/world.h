/* All that a dialogue needs beside the script: the product's modules on the
 * fake network, with settings read from the script's YAML. The settings are
 * read once and shared by all runs of a script. */
#ifndef TESTS_DIALOGUE_WORLD_H
#define TESTS_DIALOGUE_WORLD_H

#include "proxy/session/session.h"
#include "tests/dialogue/fake_login.h"
#include "tests/dialogue/fake_logs.h"
#include "tests/dialogue/fake_net.h"
#include "tests/dialogue/fake_remote_ledger.h"

/* What all runs of a script share. */
struct scene {
    const struct script *script; /* borrowed */
    const struct settings *settings;
    struct credential_book **books; /* by the upstream's index */
    size_t ledger_keys;             /* so many budgets have room */
    char folder[64];                /* for the configuration and the maildir */
};

struct world {
    const struct scene *scene; /* borrowed */
    struct loop loop;
    struct fake_logins logins;
    struct logins *back_ends;
    struct login_client *login_client;
    struct decision_log decisions;
    struct server_log server_log;
    struct shared_ledger *ledger, *shadow_ledger;
    struct remote_ledger late; /* the same, asked of a store */
    struct asks *asks;
    struct evaluate_scratch *scratch;
    struct tls_context **contexts;          /* by upstream */
    struct tls_context **listener_contexts; /* by listener */
    struct upstreams *upstreams;
    struct session_host host;
    const struct settings *policy; /* the run's own snapshot; a reference */
    size_t freed_sessions;
    bool is_crowded, is_probed, is_closed;
};

/* One of the configurations in the scene's folder, a reference. NULL, with
 * diagnostics printed, when it is wrong. */
const struct settings *scene_load(const struct scene *scene, const char *name);
/* 0, or -1 with diagnostics printed. */
int scene_open(struct scene *scene, const struct script *script);
void scene_close(struct scene *scene);
/* Removes what runs before this one delivered. */
void scene_clean(const struct scene *scene);

/* has_store: budgets are asked of a store that answers late. */
void world_open(struct world *world, const struct scene *scene, bool has_store);
/* What a reload does: the policy of the script's `next` holds for what begins
 * from now on. False: there is none. */
bool world_reload(struct world *world);
/* Turns until nothing more happens; false when it never rests. */
bool world_settle(struct world *world);
/* Moves the clock and lets everything due happen at its time. */
bool world_advance(struct world *world, uint64_t ms);
/* The upstreams are asked for their EHLO; is_probed, once they have been. */
void world_probe(struct world *world);
/* The server stops, in order or at once. */
void world_stop(struct world *world);
void world_abort(struct world *world);
/* Hours of silence: whatever waits is given up by a deadline. False: a session
 * still waits then. */
bool world_wait_for_ever(struct world *world);
/* A client of this address arrives at a listener. NULL: no such listener. */
struct far_end *world_connect(struct world *world, struct str host,
                              uint16_t port, struct str listener);
/* Ends all; NULL, or what was left behind. */
const char *world_close(struct world *world);

/* How many messages lie in the maildir, and the octets of the newest. */
size_t world_count_messages(const struct world *world);
struct octets world_newest_message(const struct world *world);

#endif
