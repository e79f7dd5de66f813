#include "proxy/server/server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proxy/command/subcommands.h"
#include "proxy/core_dumps.h"
#include "proxy/http/http_server.h"
#include "proxy/net/descriptors.h"
#include "proxy/server/server_internal.h"

/* A session's client, and its upstream or a file of its Maildir. */
#define DESCRIPTORS_A_SESSION 2
/* Loops, listeners, logs, upstream connections that idle. */
#define DESCRIPTORS_BESIDE 256
#define ENDING_MS 100

int server_fail(struct server *server, struct diags *diags, const char *words)
{
    diags_error(diags, (struct mark){.file = server->shared.settings->path},
                "%s", words);
    return EXIT_FOUND;
}

static int start_workers(struct server *server, struct diags *diags)
{
    for (; server->made < server->worker_count; server->made++) {
        struct worker *worker = worker_new(&server->shared, server->made);
        if (worker == NULL)
            return server_fail(server, diags,
                               "a worker can't be made: out of memory or "
                               "descriptors");
        server->workers[server->made] = worker;
        if (server->made < server->means.key_count &&
            worker_ask_for_keys(worker, server->means.keys[server->made]) != 0)
            return server_fail(server, diags,
                               "there is no memory for the keys");
    }
    for (; server->started < server->made; server->started++)
        if (worker_start(server->workers[server->started]) != 0)
            return server_fail(server, diags, "a thread can't be started");
    for (size_t i = 0; i < server->started; i++)
        worker_await(server->workers[i]);
    return EXIT_FINE;
}

/* Orders are taken once there are workers to give them to. */
static int start_control(struct server *server, struct diags *diags)
{
    const struct settings *settings = server->shared.settings;
    server->snapshots = snapshots_new(settings);
    server->fullness = budget_fullness_new();
    server->controlled = (struct controlled){
        .snapshots = server->snapshots,
        .ledger = server->shared.ledger,
        .connections = server->shared.connections,
        .health = server->shared.health,
        .metrics = server->shared.metrics,
        .fullness = server->fullness,
        .statm = server->means.statm,
        .certificates = server->opened.certificates,
        .settings = settings,
        .decisions = server->opened.decisions,
        .log = server->opened.log,
        .supervisor = server->means.supervisor,
        .started_ms = server->means.started_ms,
        .workers = server->worker_count,
    };
    if (server->snapshots != NULL && server->fullness != NULL &&
        server->means.orders >= 0) {
        server->control_server = control_server_new(
            server->means.orders, NULL, control_verbs, &server->controlled);
        server->means.orders = -1;
        if (server->control_server != NULL)
            return EXIT_FINE;
    }
    return server_fail(server, diags, "a thread can't be started");
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

static int begin(struct server *server, struct diags *diags)
{
    int status = server_open_budgets(server, diags);
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
    if (means->is_after_crash)
        decision_log_follow_a_crash(server->opened.decisions);
    settle_core_dumps(server);
    allow_descriptors(server);
    int status = server_open_shared(server, diags);
    if (status == EXIT_FINE && means->memory.is_there)
        server->has_taken_over = server_attach_budgets(server) == 0;
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
            status =
                server_fail(server, diags, "there is no memory for a listener");
    if (status == EXIT_FINE) {
        announce(server);
        atomic_store(&server->is_listening, true);
        status = server_open_http(server, ports, diags);
    }
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
    server_close_http(server); /* and opens it by the new socket */
    atomic_store(&server->is_followed, false);
    atomic_store(&server->is_leaving, false);
    return let_in(server, ports, diags);
}

/* No order reaches a worker any more. */
static void stop_control(struct server *server)
{
    control_server_free(server->control_server);
    server->control_server = NULL;
}

void server_retire(struct server *server, bool is_followed)
{
    atomic_store(&server->is_followed, is_followed);
    atomic_store(&server->is_leaving, !is_followed);
    atomic_store(&server->is_listening, false);
    if (is_followed)
        http_server_leave(server->http);
    for (size_t i = 0; i < server->started; i++)
        worker_retire(server->workers[i]);
    if (server->journal != NULL)
        journal_retire(server->journal);
}

void server_drain(struct server *server, uint64_t within_ms)
{
    if (within_ms == 0)
        within_ms = server->shared.settings->timeouts.drain;
    if (atomic_load(&server->is_followed))
        server_close_http(server);
    stop_control(server);
    for (size_t i = 0; i < server->started; i++)
        worker_drain(server->workers[i], within_ms);
}

void server_stop(struct server *server)
{
    atomic_store(&server->is_leaving, true);
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

void server_note(struct server *server, struct str line)
{
    /* Texts in it can't hold quotes that are not escaped. */
    bool is_live = strstr(line.p, "\"verdict\":\"accept\"") != NULL;
    metrics_add_common(server->shared.metrics,
                       is_live ? METRIC_RELOADS : METRIC_RELOADS_REFUSED);
    decision_log_write(server->opened.decisions, line);
}

void server_tally(struct server *server, uint64_t starts, uint64_t crashes)
{
    if (server->shared.metrics == NULL)
        return;
    metrics_set_common(server->shared.metrics, METRIC_STARTS, starts);
    metrics_set_common(server->shared.metrics, METRIC_CRASHES, crashes);
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
    server_close_http(server); /* it asks the workers whether they live */
    end_workers(server);
    snapshots_free(server->snapshots);
    budget_fullness_free(server->fullness);
    connection_counts_free(server->shared.connections);
    shared_ledger_free(server->shared.shadow_ledger);
    health_board_free(server->shared.health);
    store_word_free(server->shared.store_word);
    journal_close(server->journal);
    preflight_release(&server->opened);
    metrics_free(server->shared.metrics); /* the logs counted there */
    if (server->means.orders >= 0)
        close(server->means.orders);
    settings_unref(server->shared.settings);
    free(server);
}
