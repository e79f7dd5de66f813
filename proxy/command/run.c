/* postern run: loads, opens, starts the workers, and waits for signals. */
#include "proxy/command/run.h"

#include <pthread.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/budgets/journal.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_socket.h"
#include "proxy/control/control_verbs.h"
#include "proxy/core_dumps.h"
#include "proxy/net/descriptors.h"
#include "proxy/net/listen.h"
#include "proxy/worker.h"

#define LEDGER_KEYS 1000000
/* A session's client, and its upstream or a file of its Maildir. */
#define DESCRIPTORS_A_SESSION 2
/* Loops, listeners, logs, upstream connections that idle. */
#define DESCRIPTORS_BESIDE 256

struct server {
    struct shared shared;
    struct preflight opened;
    struct journal *journal; /* owns the ledger */
    int control;             /* the socket; negative: none */
    struct reloader *reloader;
    struct controlled controlled;
    struct control_server *control_server;
    struct worker **workers;
    size_t worker_count;
    size_t started;
};

/* The configuration, tested; or diagnostics on stderr. */
static const struct settings *load(const char *path)
{
    struct diags diags;
    struct policy_tests_result result = {0};
    diags_init(&diags);
    const struct settings *settings = config_load(path, &diags);
    if (settings != NULL) {
        policy_tests_run(settings, &diags, &result);
        if (result.failed > 0) {
            settings_unref(settings);
            settings = NULL;
        }
    }
    diags_print(&diags, stderr);
    diags_release(&diags);
    return settings;
}

static int open_all(struct server *server)
{
    struct diags diags;
    diags_init(&diags);
    int status =
        preflight_open(&server->opened, server->shared.settings, &diags);
    diags_print(&diags, stderr);
    diags_release(&diags);
    return status;
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

static int open_budgets(struct server *server)
{
    struct diags diags;
    diags_init(&diags);
    server->journal = journal_open(&server->shared.settings->limits,
                                   LEDGER_KEYS, server->opened.log, &diags);
    diags_print(&diags, stderr);
    diags_release(&diags);
    if (server->journal == NULL)
        return -1;
    server->shared.ledger = journal_ledger(server->journal);
    keep_stand_ins(server);
    return 0;
}

/* SO_REUSEPORT would let a second server share the ports in silence. */
static int ports_are_free(const struct settings *settings)
{
    char error[256];
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++) {
            const struct endpoint *address = &listener->addresses[j];
            if (listen_probe(address->host, address->port, error,
                             sizeof error) == 0)
                continue;
            fprintf(stderr, "%s:%zu:%zu: error: %s\n", address->mark.file,
                    address->mark.line, address->mark.column, error);
            return -1;
        }
    }
    return 0;
}

static size_t count_workers(const struct settings *settings)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (settings->workers > 0)
        return (size_t)settings->workers;
    return cores < 1 ? 1 : (size_t)cores;
}

static int start_workers(struct server *server)
{
    char error[256];
    size_t count = count_workers(server->shared.settings);
    server->workers = calloc(count, sizeof(struct worker *));
    if (server->workers == NULL)
        return -1;
    for (; server->worker_count < count; server->worker_count++) {
        struct worker *worker =
            worker_new(&server->shared, server->worker_count);
        if (worker == NULL) {
            fprintf(stderr, "postern: error: a worker can't be made: "
                            "out of memory or descriptors\n");
            return -1;
        }
        server->workers[server->worker_count] = worker;
    }
    for (; server->started < count; server->started++) {
        if (worker_start(server->workers[server->started]) == 0)
            continue;
        fprintf(stderr, "postern: error: a thread can't be started\n");
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (worker_await(server->workers[i], error, sizeof error) == 0)
            continue;
        fprintf(stderr, "postern: error: %s\n", error);
        return -1;
    }
    return 0;
}

static int reread(void *owner, struct diags *diags)
{
    const struct server *server = owner;
    return logins_reread(server->opened.logins, server->opened.log, diags);
}

static void publish(void *owner, const struct settings *policy)
{
    const struct server *server = owner;
    for (size_t i = 0; i < server->worker_count; i++)
        worker_renew(server->workers[i], policy);
}

/* Orders are taken once there are workers to give them to. */
static int start_control(struct server *server)
{
    const struct settings *settings = server->shared.settings;
    const struct reloader_host host = {.decisions = server->opened.decisions,
                                       .log = server->opened.log,
                                       .reread = reread,
                                       .publish = publish,
                                       .owner = server};
    server->reloader = reloader_new(settings, &host);
    server->controlled = (struct controlled){
        .reloader = server->reloader,
        .ledger = server->shared.ledger,
        .connections = server->shared.connections,
        .health = server->shared.health,
        .settings = settings,
        .decisions = server->opened.decisions,
        .log = server->opened.log,
        .started_ms = control_now_ms(),
        .workers = server->worker_count,
    };
    if (server->reloader != NULL && server->control >= 0) {
        server->control_server =
            control_server_new(server->control, settings->control,
                               control_verbs, &server->controlled);
        server->control = -1;
    } else if (server->reloader != NULL) {
        return 0;
    }
    if (server->control_server != NULL)
        return 0;
    fprintf(stderr, "postern: error: a thread can't be started\n");
    return -1;
}

/* No order reaches a worker any more. */
static void stop_control(struct server *server)
{
    reloader_stop(server->reloader);
    control_server_free(server->control_server);
}

static void stop_workers(const struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_stop(server->workers[i]);
}

static void join_workers(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++)
        worker_join(server->workers[i]);
    free(server->workers);
}

static void announce(const struct settings *settings, struct server_log *log,
                     size_t workers)
{
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++)
            server_log_write(log, SERVER_INFO, "listening on %.*s (%.*s)",
                             (int)listener->addresses[j].text.n,
                             listener->addresses[j].text.p,
                             (int)listener->name.n, listener->name.p);
    }
    server_log_write(log, SERVER_INFO, "ready: %zu workers, policy %s", workers,
                     settings->policy_digest);
}

/* Signals are taken by waiting, by this thread alone. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Waits for the first stop. */
static void wait_for_stop(struct server *server, const sigset_t *signals)
{
    const struct timespec hour = {60 * 60, 0};
    for (;;) {
        preflight_tell_of_dates(&server->opened, time(NULL));
        int signal_number = sigtimedwait(signals, NULL, &hour);
        if (signal_number < 0)
            continue;
        if (signal_number != SIGHUP)
            return;
        decision_log_reopen(server->opened.decisions);
        server_log_reopen(server->opened.log);
        server_log_write(server->opened.log, SERVER_INFO,
                         "the logs are opened anew");
        reloader_signal(server->reloader);
    }
}

/* Where nobody wrote `control` the server does without, if it must. */
static int open_control(struct server *server)
{
    const struct settings *settings = server->shared.settings;
    const struct mark *mark = &settings->control_mark;
    char error[512];
    server->control =
        control_socket_listen(settings->control, error, sizeof error);
    if (server->control >= 0)
        return EXIT_FINE;
    if (server->control == CONTROL_SOCKET_FAILED && mark->line == 0) {
        server_log_write(server->opened.log, SERVER_INFO,
                         "no control socket, so reload, list and "
                         "status can't be used: %s; `control: PATH` puts it "
                         "elsewhere",
                         error);
        return EXIT_FINE;
    }
    if (mark->line > 0)
        fprintf(stderr, "%s:%zu:%zu: error: %s\n", mark->file, mark->line,
                mark->column, error);
    else
        fprintf(stderr,
                "postern: error: %s; `control: PATH` gives this one "
                "its own\n",
                error);
    return server->control == CONTROL_SOCKET_TAKEN ? EXIT_FOUND : EXIT_CONFIG;
}

/* Only what start_control() has not given away. */
static void close_control(const struct server *server)
{
    if (server->control < 0)
        return;
    close(server->control);
    unlink(server->shared.settings->control);
}

static bool have_ended(const struct server *server)
{
    for (size_t i = 0; i < server->started; i++)
        if (!worker_has_ended(server->workers[i]))
            return false;
    return true;
}

/* A second signal while a stop is under way ends all sessions at once. */
static void await_end(const struct server *server, const sigset_t *signals)
{
    const struct timespec tenth = {0, 100000000};
    while (!have_ended(server)) {
        int signal_number = sigtimedwait(signals, NULL, &tenth);
        if (signal_number == SIGTERM || signal_number == SIGINT)
            stop_workers(server);
    }
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

/* They were forbidden before the first secret was read. */
static void settle_core_dumps(const struct server *server, bool has_no_dumps)
{
    if (server->shared.settings->core_dumps)
        server_log_write(server->opened.log, SERVER_WARNING, "%s",
                         core_dumps_allow() == 0
                             ? "core_dumps: a crash will write keys and "
                               "passwords to a core dump"
                             : "core_dumps: there will be none, as the hard "
                               "limit is 0: raise LimitCORE of the service "
                               "(ulimit -Hc)");
    else if (!has_no_dumps)
        server_log_write(server->opened.log, SERVER_WARNING,
                         "core dumps can't be forbidden to a handler that "
                         "/proc/sys/kernel/core_pattern names, as the hard "
                         "limit is 0: set LimitCORE=1 of the service "
                         "(ulimit -c 1)");
}

static int serve(struct server *server, const sigset_t *signals)
{
    allow_descriptors(server);
    server->shared.connections = connection_counts_new(
        (size_t)server->shared.settings->caps.connections,
        (size_t)server->shared.settings->caps.connections_per_net);
    /* A candidate may come with a reload. Its budgets begin empty. */
    server->shared.shadow_ledger = shared_ledger_new(LEDGER_KEYS);
    server->shared.health = health_board_new(
        server->shared.settings, count_workers(server->shared.settings));
    int status = EXIT_FOUND;
    if (server->shared.connections != NULL &&
        server->shared.shadow_ledger != NULL && server->shared.health != NULL &&
        start_workers(server) == 0 && start_control(server) == 0) {
        announce(server->shared.settings, server->opened.log,
                 server->worker_count);
        wait_for_stop(server, signals);
        server_log_write(server->opened.log, SERVER_INFO,
                         "stopping: transactions finish first");
        status = EXIT_FINE;
    }
    stop_control(server);
    stop_workers(server);
    await_end(server, signals);
    join_workers(server);
    reloader_free(server->reloader);
    connection_counts_free(server->shared.connections);
    shared_ledger_free(server->shared.shadow_ledger);
    health_board_free(server->shared.health);
    if (status == 0)
        server_log_write(server->opened.log, SERVER_INFO, "stopped");
    return status;
}

static int open_and_serve(struct server *server, const sigset_t *signals)
{
    if (ports_are_free(server->shared.settings) != 0)
        return EXIT_FOUND;
    if (open_budgets(server) != 0)
        return EXIT_CONFIG;
    int status = open_control(server);
    if (status == EXIT_FINE)
        status = serve(server, signals);
    close_control(server);
    return status;
}

static int read_arguments(int argc, char **argv, const char **path)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") != 0 && argv[i][0] == '-')
            return subcommand_misuse("run", "there is no option", argv[i]);
        if (strcmp(argv[i], "-c") != 0)
            return subcommand_misuse("run", "write -c before the file",
                                     argv[i]);
        if (++i == argc)
            return subcommand_misuse("run", "-c needs a file", NULL);
        *path = argv[i];
    }
    return EXIT_FINE;
}

/* Large tables are to come as pages that cost nothing until they are touched:
 * by itself the allocator takes ever larger ones from its heap, and clears
 * them. What messages pass through is not to go back to the system behind
 * each of them. */
static void set_up_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
    mallopt(M_TOP_PAD, 512 * 1024);
}

int command_run(int argc, char **argv)
{
    struct server server = {.control = -1};
    const char *path = DEFAULT_CONFIG;
    if (read_arguments(argc, argv, &path) != EXIT_FINE)
        return EXIT_USAGE;
    set_up_memory();
    bool has_no_dumps = core_dumps_forbid() == 0;
    const struct settings *settings = load(path);
    if (settings == NULL)
        return EXIT_CONFIG;
    int status = EXIT_CONFIG;
    server.shared.settings = settings;
    server.shared.opened = &server.opened;
    if (settings->timezone != NULL)
        setenv("TZ", settings->timezone, 1);
    sigset_t signals;
    block_signals(&signals); /* before there are threads */
    if (open_all(&server) == 0) {
        settle_core_dumps(&server, has_no_dumps);
        status = open_and_serve(&server, &signals);
        journal_close(server.journal);
        preflight_release(&server.opened);
    }
    settings_unref(settings);
    return status;
}
