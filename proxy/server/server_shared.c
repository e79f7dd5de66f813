/* What all workers of a process share, and what is handed on from one process
 * to the next: budgets, counts of connections, and metrics. */
#include "proxy/server/server_internal.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/command/subcommands.h"

#define LEDGER_KEYS 1000000

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
int server_attach_budgets(struct server *server)
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

int server_open_budgets(struct server *server, struct diags *diags)
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

/* Those of another version of the program mean nothing to this one. */
static int open_metrics(struct server *server)
{
    const struct server_means *means = &server->means;
    struct shared *shared = &server->shared;
    if (means->memory.is_there)
        shared->metrics =
            metrics_attach(means->memory.descriptors[3], means->slot);
    if (means->memory.is_there && shared->metrics == NULL)
        server_log_write(server->opened.log, SERVER_WARNING,
                         "metrics begin anew: those of the process before are "
                         "of another version");
    if (shared->metrics == NULL)
        shared->metrics = metrics_create(means->slot);
    if (shared->metrics == NULL)
        return -1;
    decision_log_count_in(server->opened.decisions,
                          metrics_common(shared->metrics, METRIC_LOG_LINES),
                          metrics_common(shared->metrics, METRIC_LOG_LOST));
    server_log_count_in(server->opened.log,
                        metrics_common(shared->metrics, METRIC_SERVER_DEBUG));
    return 0;
}

int server_open_shared(struct server *server, struct diags *diags)
{
    const struct settings *settings = server->shared.settings;
    /* A candidate may come with a reload. Its budgets begin empty. */
    server->shared.shadow_ledger = shared_ledger_new(LEDGER_KEYS);
    server->shared.health = health_board_new(settings, server->worker_count);
    server->shared.store_word =
        store_word_new(&settings->limits, server->opened.log);
    server->workers = calloc(server->worker_count, sizeof(struct worker *));
    if (open_counts(server) != 0 || open_metrics(server) != 0 ||
        server->shared.shadow_ledger == NULL || server->shared.health == NULL ||
        server->shared.store_word == NULL || server->workers == NULL)
        return server_fail(server, diags, "there is no memory for the server");
    return EXIT_FINE;
}

bool server_memory(const struct server *server, struct server_memory *memory)
{
    if (server->journal == NULL)
        return false;
    int *fds = memory->descriptors;
    journal_descriptors(server->journal, &fds[0], &fds[1]);
    fds[2] = connection_counts_memory(server->shared.connections);
    fds[3] = metrics_memory(server->shared.metrics);
    memory->is_there = fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0;
    return memory->is_there;
}

void server_forget(struct server *server, unsigned slot)
{
    if (server->shared.ledger == NULL)
        return;
    shared_ledger_forget(server->shared.ledger, slot);
    connection_counts_forget(server->shared.connections, slot);
    metrics_forget(server->shared.metrics, slot);
}
