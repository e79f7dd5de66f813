#include "proxy/server/server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proxy/budgets/journal.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_verbs.h"
#include "config/load.h"
#include "proxy/core_dumps.h"
#include "proxy/net/descriptors.h"
#include "proxy/worker.h"

#define LEDGER_KEYS 1000000
/* A session's client, and its upstream or a file of its Maildir. */
#define DESCRIPTORS_A_SESSION 2
/* Loops, listeners, logs, upstream connections that idle. */
#define DESCRIPTORS_BESIDE 256
#define ENDING_MS 100

struct server {
    struct shared shared;
    struct preflight opened;
    struct journal *journal; /* owns the ledger */
    bool has_taken_over;     /* another process's */
    struct server_means means;
    struct snapshots *snapshots;
    struct controlled controlled;
    struct control_server *control_server;
    struct worker **workers;
    size_t worker_count; /* that are to be */
    size_t made, started;
};

static int fail(struct server *server, struct diags *diags, const char *words)
{
    diags_error(diags, (struct mark){.file = server->shared.settings->path},
                "%s", words);
    return EXIT_FOUND;
}

/* Over a restart, where the budgets are. */
static void keep_stand_ins(struct server *server)
{
    uint8_t secret[KEYED_HASH_SECRET];
    shared_ledger_derive(server->shared.ledger, STR("stand-ins of logins"),
                         secret);
    logins_keep_stand_ins(server->opened.logins, secret);
    explicit_bzero(secret, sizeof secret);
}

/* A ledger of another version of the program is no error: its budgets are
 * read from the disk once the process that has them has retired. */
static int attach_budgets(struct server *server)
{
    const struct server_means *means = &server->means;
    const int *fds = means->memory.descriptors;
    struct diags diags;
    diags_init(&diags);
    server->journal =
        journal_attach(&server->shared.settings->limits, fds[0], fds[1],
                       means->slot, server->opened.log, &diags);
    if (server->journal == NULL && diags.count > 0)
        server_log_write(server->opened.log, SERVER_WARNING,
                         "%s; they are read from the disk",
                         diags.items[0].text);
    diags_release(&diags);
    return server->journal == NULL ? -1 : 0;
}

static int open_budgets(struct server *server, struct diags *diags)
{
    if (server->journal == NULL)
        server->journal =
            journal_open(&server->shared.settings->limits, LEDGER_KEYS,
                         server->means.slot, server->opened.log, diags);
    if (server->journal == NULL)
        return EXIT_CONFIG;
    server->shared.ledger = journal_ledger(server->journal);
    keep_stand_ins(server);
    return EXIT_FINE;
}

static int open_counts(struct server *server)
{
    const struct server_means *means = &server->means;
    const struct caps_settings *caps = &server->shared.settings->caps;
    size_t max = (size_t)caps->connections;
    size_t max_per_net = (size_t)caps->connections_per_net;
    if (means->memory.is_there)
        (void)connection_counts_attach(means->memory.descriptors[2], max,
                                       max_per_net, means->slot,
                                       &server->shared.connections);
    if (server->shared.connections == NULL)
        server->shared.connections =
            connection_counts_create(max, max_per_net, means->slot);
    return server->shared.connections == NULL ? -1 : 0;
}

static int open_shared(struct server *server, struct diags *diags)
{
    const struct settings *settings = server->shared.settings;
    /* A candidate may come with a reload. Its budgets begin empty. */
    server->shared.shadow_ledger = shared_ledger_new(LEDGER_KEYS);
    server->shared.health = health_board_new(settings, server->worker_count);
    server->workers = calloc(server->worker_count, sizeof(struct worker *));
    if (open_counts(server) != 0 || server->shared.shadow_ledger == NULL ||
        server->shared.health == NULL || server->workers == NULL)
        return fail(server, diags, "there is no memory for the server");
    return EXIT_FINE;
}

static int start_workers(struct server *server, struct diags *diags)
{
    for (; server->made < server->worker_count; server->made++) {
        struct worker *worker = worker_new(&server->shared, server->made);
        if (worker == NULL)
            return fail(server, diags,
                        "a worker can't be made: out of memory or "
                        "descriptors");
        server->workers[server->made] = worker;
        if (server->made < server->means.key_count &&
            worker_ask_for_keys(worker, server->means.keys[server->made]) != 0)
            return fail(server, diags, "there is no memory for the keys");
    }
    for (; server->started < server->made; server->started++)
        if (worker_start(server->workers[server->started]) != 0)
            return fail(server, diags, "a thread can't be started");
    for (size_t i = 0; i < server->started; i++)
        worker_await(server->workers[i]);
    return EXIT_FINE;
}

/* Orders are taken once there are workers to give them to. */
static int start_control(struct server *server, struct diags *diags)
{
    const struct settings *settings = server->shared.settings;
    server->snapshots = snapshots_new(settings);
    server->controlled = (struct controlled){
        .snapshots = server->snapshots,
        .ledger = server->shared.ledger,
        .connections = server->shared.connections,
        .health = server->shared.health,
        .settings = settings,
        .decisions = server->opened.decisions,
        .log = server->opened.log,
        .supervisor = server->means.supervisor,
        .started_ms = server->means.started_ms,
        .workers = server->worker_count,
    };
    if (server->snapshots != NULL && server->means.orders >= 0) {
        server->control_server = control_server_new(
            server->means.orders, NULL, control_verbs, &server->controlled);
        server->means.orders = -1;
        if (server->control_server != NULL)
            return EXIT_FINE;
    }
    return fail(server, diags, "a thread can't be started");
}

static void allow_descriptors(const struct server *server)
{
    size_t connections = (size_t)server->shared.settings->caps.connections;
    size_t wanted = connections * DESCRIPTORS_A_SESSION + DESCRIPTORS_BESIDE;
    size_t allowed = descriptors_allow(wanted);
    if (allowed < wanted)
        server_log_write(server->opened.log, SERVER_WARNING,
                         "caps.connections of %zu may need %zu file "
                         "descriptors, and %zu are allowed: raise LimitNOFILE "
                         "of the service (ulimit -n), or lower "
                         "caps.connections",
                         connections, wanted, allowed);
}

size_t server_thread_count(const struct settings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (settings->workers > 0)
        return (size_t)settings->workers;
    return cores < 1 ? 1 : (size_t)cores;
}

/* They were forbidden before the first secret was read. */
static void settle_core_dumps(const struct server *server)
{
    if (server->shared.settings->core_dumps)
        server_log_write(server->opened.log, SERVER_WARNING, "%s",
                         core_dumps_allow() == 0
                             ? "core_dumps: a crash will write keys and "
                               "passwords to a core dump"
                             : "core_dumps: there will be none, as the hard "
                               "limit is 0: raise LimitCORE of the service "
                               "(ulimit -Hc)");
    else if (!server->means.has_no_dumps)
        server_log_write(server->opened.log, SERVER_WARNING,
                         "core dumps can't be forbidden to a handler that "
                         "/proc/sys/kernel/core_pattern names, as the hard "
                         "limit is 0: set LimitCORE=1 of the service "
                         "(ulimit -c 1)");
}

bool server_memory(const struct server *server, struct server_memory *memory)
{
    if (server->journal == NULL)
        return false;
    int *fds = memory->descriptors;
    journal_descriptors(server->journal, &fds[0], &fds[1]);
    fds[2] = connection_counts_memory(server->shared.connections);
    memory->is_there = fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0;
    return memory->is_there;
}

void server_forget(struct server *server, unsigned slot)
{
    if (server->shared.ledger == NULL)
        return;
    shared_ledger_forget(server->shared.ledger, slot);
    connection_counts_forget(server->shared.connections, slot);
}

static int begin(struct server *server, struct diags *diags)
{
    int status = open_budgets(server, diags);
    for (unsigned slot = 0; slot < SLOTS && status == EXIT_FINE; slot++)
        if (slot != server->means.slot &&
            (server->means.others & 1u << slot) == 0)
            server_forget(server, slot);
    return status == EXIT_FINE ? start_workers(server, diags) : status;
}

int server_prepare(struct server **out, const struct server_means *means,
                   struct diags *diags)
{
    struct server *server = calloc(1, sizeof *server);
    *out = server;
    if (server == NULL) {
        settings_unref(means->settings);
        return EXIT_FOUND;
    }
    server->means = *means;
    server->shared.settings = means->settings;
    server->shared.opened = &server->opened;
    server->shared.supervisor = means->channel;
    server->worker_count = server_thread_count(means->settings);
    if (preflight_open(&server->opened, means->settings, means->files, diags) !=
        0)
        return EXIT_CONFIG;
    settle_core_dumps(server);
    allow_descriptors(server);
    int status = open_shared(server, diags);
    if (status == EXIT_FINE && means->memory.is_there)
        server->has_taken_over = attach_budgets(server) == 0;
    if (status == EXIT_FINE && (server->has_taken_over || means->is_alone))
        status = begin(server, diags);
    return status;
}

static void announce(const struct server *server)
{
    const struct settings *settings = server->shared.settings;
    struct server_log *log = server->opened.log;
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++)
            server_log_write(log, SERVER_INFO, "listening on %.*s (%.*s)",
                             (int)listener->addresses[j].text.n,
                             listener->addresses[j].text.p,
                             (int)listener->name.n, listener->name.p);
    }
    server_log_write(log, SERVER_INFO, "ready: %zu workers, policy %s",
                     server->worker_count, settings->policy_digest);
}

static int let_in(struct server *server, struct ports *ports,
                  struct diags *diags)
{
    int status =
        server->snapshots == NULL ? start_control(server, diags) : EXIT_FINE;
    for (size_t i = 0; i < server->started && status == EXIT_FINE; i++)
        if (worker_listen(server->workers[i], ports, server->worker_count) != 0)
            status = fail(server, diags, "there is no memory for a listener");
    if (status == EXIT_FINE)
        announce(server);
    return status;
}

int server_serve(struct server *server, struct ports *ports,
                 struct diags *diags)
{
    int status = server->journal == NULL ? begin(server, diags) : EXIT_FINE;
    if (status == EXIT_FINE && server->has_taken_over)
        journal_take_over(server->journal, &server->shared.settings->limits);
    return status == EXIT_FINE ? let_in(server, ports, diags) : status;
}

int server_resume(struct server *server, struct ports *ports,
                  struct diags *diags)
{
    journal_resume(server->journal);
    return let_in(server, ports, diags);
}

/* No order reaches a worker any more. */
static void stop_control(struct server *server)
{
    control_server_free(server->control_server);
    server->control_server = NULL;
}

void server_retire(struct server *server)
{
    for (size_t i = 0; i < server->started; i++)
        worker_retire(server->workers[i]);
    if (server->journal != NULL)
        journal_retire(server->journal);
}

void server_drain(struct server *server, uint64_t within_ms)
{
    if (within_ms == 0)
        within_ms = server->shared.settings->timeouts.drain;
    stop_control(server);
    for (size_t i = 0; i < server->started; i++)
        worker_drain(server->workers[i], within_ms);
}

void server_stop(struct server *server)
{
    for (size_t i = 0; i < server->started; i++)
        worker_stop(server->workers[i]);
}

bool server_has_ended(const struct server *server)
{
    for (size_t i = 0; i < server->started; i++)
        if (!worker_has_ended(server->workers[i]))
            return false;
    return true;
}

void server_reopen_logs(struct server *server)
{
    decision_log_reopen(server->opened.decisions);
    server_log_reopen(server->opened.log);
}

void server_set_debug(struct server *server, bool is_debug)
{
    server_log_set_debug(server->opened.log, is_debug);
}

void server_say(struct server *server, const char *words)
{
    server_log_write(server->opened.log, SERVER_ERROR, "%s", words);
}

static void publish(struct server *server, const struct settings *fresh)
{
    for (size_t i = 0; i < server->started; i++)
        worker_renew(server->workers[i], fresh);
}

/* The supervisor has tested it, and told of the warnings. */
static int take_up(struct server *server, struct files *files,
                   struct diags *diags)
{
    const struct settings *fresh =
        config_load_from(files, server->shared.settings->path, diags);
    if (fresh == NULL)
        return -1;
    if (preflight_renew(&server->opened, fresh, files, diags) != 0) {
        settings_unref(fresh);
        return -1;
    }
    if (snapshots_take(server->snapshots, fresh) != 0) {
        diags_error(diags, (struct mark){.file = fresh->path}, "out of memory");
        settings_unref(fresh);
        return -1;
    }
    publish(server, fresh);
    return 0;
}

int server_renew(struct server *server, int bundle, struct diags *diags)
{
    const char *wrong;
    struct files *files = files_from_bundle(bundle, &wrong);
    if (files == NULL) {
        diags_error(diags, (struct mark){.file = server->shared.settings->path},
                    "what the supervisor has read can't be taken up: %s",
                    wrong);
        return -1;
    }
    int result = take_up(server, files, diags);
    files_free(files);
    return result;
}

void server_note(struct server *server, struct str line)
{
    decision_log_write(server->opened.decisions, line);
}

bool server_is_alive(struct server *server)
{
    bool is_alive = true;
    for (size_t i = 0; i < server->started; i++)
        if (!worker_has_turned(server->workers[i]))
            is_alive = false;
    return is_alive;
}

void server_tell_of_dates(struct server *server)
{
    preflight_tell_of_dates(&server->opened, time(NULL));
}

/* Those that were made but not started are stopped too. */
static void end_workers(struct server *server)
{
    for (size_t i = 0; i < server->made; i++)
        worker_stop(server->workers[i]);
    while (!server_has_ended(server))
        (void)poll(NULL, 0, ENDING_MS);
    for (size_t i = 0; i < server->made; i++)
        worker_join(server->workers[i]);
    free(server->workers);
}

void server_free(struct server *server)
{
    if (server == NULL)
        return;
    stop_control(server);
    end_workers(server);
    snapshots_free(server->snapshots);
    connection_counts_free(server->shared.connections);
    shared_ledger_free(server->shared.shadow_ledger);
    health_board_free(server->shared.health);
    journal_close(server->journal);
    preflight_release(&server->opened);
    if (server->means.orders >= 0)
        close(server->means.orders);
    settings_unref(server->shared.settings);
    free(server);
}
