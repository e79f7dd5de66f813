#include "proxy/budgets/budget_store.h"

#include "rules/list.h"

/* How long a value that the store has listed counts here without it. */
#define COPY_MS ((uint64_t)60 * 60 * 1000)

/* Of a hold that nobody holds. */
#define TOKEN_NOTHING UINT64_MAX

bool budget_store_is_to_be_asked(const struct budget_store *store)
{
    if (store->remote == NULL)
        return false;
    bool is_up = remote_ledger_is_up(store->remote);
    if (!is_up)
        remote_ledger_miss(store->remote);
    return is_up;
}

enum budget_answered budget_store_answer(const struct budget_store *store,
                                         const struct question *question,
                                         uint64_t now_ms, struct answer *answer)
{
    enum budget_answered how = BUDGET_ANSWERED;
    if (store->remote != NULL)
        how = store->on_failure == ON_STORE_FAILURE_DEFER   ? BUDGET_DEFERRED
              : store->on_failure == ON_STORE_FAILURE_ALLOW ? BUDGET_ALLOWED
                                                            : BUDGET_LOCAL;
    *answer = (struct answer){.is_within = true, .token = TOKEN_NOTHING};
    if (how == BUDGET_DEFERRED ||
        (how == BUDGET_ALLOWED && question->kind == QUESTION_HOLD))
        return how;
    *answer = (struct answer){0};
    shared_ledger_answer(store->ledger, question, now_ms, answer);
    return how;
}

void budget_store_learn(const struct budget_store *store,
                        const struct question *question,
                        const struct answer *answer, uint64_t now_ms)
{
    struct answer here = {0};
    if (question->kind == QUESTION_LISTED)
        shared_ledger_answer(store->ledger, question, now_ms, &here);
    if (question->kind != QUESTION_LISTED ||
        here.is_listed == answer->is_listed)
        return;
    const struct list_change change = {
        .list = question->list,
        .value = question->value,
        .for_ms = COPY_MS,
        .is_removal = !answer->is_listed,
    };
    (void)shared_ledger_apply(store->ledger, &change, now_ms);
}

/* What was granted here is settled here, whoever answers by now. */
static bool is_local(const struct hold *hold)
{
    return hold->token == 0;
}

void budget_store_commit(const struct budget_store *store, struct hold *hold,
                         uint64_t now_ms)
{
    if (is_local(hold))
        shared_ledger_commit(store->ledger, hold, now_ms);
    else if (hold->token != TOKEN_NOTHING)
        remote_ledger_commit(store->remote, hold);
}

void budget_store_give_back(const struct budget_store *store, struct hold *hold,
                            uint64_t now_ms)
{
    if (is_local(hold))
        shared_ledger_give_back(store->ledger, hold, now_ms);
    else if (hold->token != TOKEN_NOTHING)
        remote_ledger_give_back(store->remote, hold);
}

bool budget_store_apply(const struct budget_store *store,
                        const struct list_change *change, uint64_t now_ms)
{
    bool is_done = shared_ledger_apply(store->ledger, change, now_ms);
    if (store->remote == NULL)
        return is_done;
    remote_ledger_apply(store->remote, change);
    return true;
}

bool budget_store_knows(const struct budget_store *store, struct str user,
                        struct str net, uint64_t now_ms)
{
    return shared_ledger_knows(store->ledger, user, net, now_ms);
}

void budget_store_know(const struct budget_store *store, struct str user,
                       struct str net, uint64_t now_ms)
{
    shared_ledger_know(store->ledger, user, net, now_ms);
    if (store->remote != NULL)
        remote_ledger_know(store->remote, user, net);
}
