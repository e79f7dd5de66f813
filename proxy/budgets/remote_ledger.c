#include "proxy/budgets/remote_ledger.h"

#include <stdlib.h>

struct remote_ledger {
    struct store_meter meter;
};

struct remote_ledger *remote_ledger_new(struct loop *loop,
                                        const struct limits_settings *settings,
                                        struct server_log *log)
{
    (void)loop;
    (void)settings;
    (void)log;
    return calloc(1, sizeof(struct remote_ledger));
}

void remote_ledger_free(struct remote_ledger *remote)
{
    free(remote);
}

bool remote_ledger_is_up(const struct remote_ledger *remote)
{
    (void)remote;
    return false;
}

struct remote_question *remote_ledger_ask(struct remote_ledger *remote,
                                          const struct question *question,
                                          remote_answered *done, void *owner)
{
    (void)remote;
    (void)question;
    (void)done;
    (void)owner;
    return NULL;
}

struct remote_question *remote_ledger_ask_known(struct remote_ledger *remote,
                                                struct str user, struct str net,
                                                remote_answered *done,
                                                void *owner)
{
    (void)remote;
    (void)user;
    (void)net;
    (void)done;
    (void)owner;
    return NULL;
}

void remote_question_cancel(struct remote_question *asked)
{
    (void)asked;
}

void remote_ledger_commit(struct remote_ledger *remote, struct hold *hold)
{
    (void)remote;
    hold->is_settled = true;
}

void remote_ledger_give_back(struct remote_ledger *remote, struct hold *hold)
{
    (void)remote;
    hold->is_settled = true;
}

void remote_ledger_apply(struct remote_ledger *remote,
                         const struct list_change *change)
{
    (void)remote;
    (void)change;
}

void remote_ledger_know(struct remote_ledger *remote, struct str user,
                        struct str net)
{
    (void)remote;
    (void)user;
    (void)net;
}

const struct store_meter *
remote_ledger_meter(const struct remote_ledger *remote)
{
    return &remote->meter;
}
