/* The budgets, the dynamic lists and the nets of logins as the sessions of one
 * worker ask for them: in this machine's memory, or in the store that
 * limits.store names. Memory answers at once, a store later; while it is away
 * limits.on_store_failure decides. Belongs to one loop. */
#ifndef PROXY_BUDGETS_BUDGET_STORE_H
#define PROXY_BUDGETS_BUDGET_STORE_H

#include "proxy/budgets/remote_ledger.h"
#include "proxy/budgets/shared_ledger.h"

struct budget_store {
    struct shared_ledger *ledger; /* borrowed */
    struct remote_ledger *remote; /* borrowed; NULL: all is in `ledger` */
    enum on_store_failure on_failure;
};

/* For each question first: whether it is to be put to the store. If not,
 * budget_store_answer() answers; that a store is away is counted. */
bool budget_store_is_to_be_asked(const struct budget_store *store);

enum budget_answered {
    BUDGET_ANSWERED, /* by the memory that has it all */
    BUDGET_LOCAL,    /* the store is away: by what this machine knows */
    BUDGET_ALLOWED,  /* away: as if there were no limit */
    BUDGET_DEFERRED  /* away: nobody may say; the answer is for who only
                        pretends: as if it fitted */
};

/* Answers HOLD and LISTED here and now. */
enum budget_answered budget_store_answer(const struct budget_store *store,
                                         const struct question *question,
                                         uint64_t now_ms,
                                         struct answer *answer);
/* The store has answered: what should be known here while it is away. */
void budget_store_learn(const struct budget_store *store,
                        const struct question *question,
                        const struct answer *answer, uint64_t now_ms);

/* As those of a ledger. */
void budget_store_commit(const struct budget_store *store, struct hold *hold,
                         uint64_t now_ms);
void budget_store_give_back(const struct budget_store *store, struct hold *hold,
                            uint64_t now_ms);
bool budget_store_apply(const struct budget_store *store,
                        const struct list_change *change, uint64_t now_ms);

/* Whether this login succeeded from this net, as far as this machine knows;
 * and that it did. */
bool budget_store_knows(const struct budget_store *store, struct str user,
                        struct str net, uint64_t now_ms);
void budget_store_know(const struct budget_store *store, struct str user,
                       struct str net, uint64_t now_ms);

#endif
