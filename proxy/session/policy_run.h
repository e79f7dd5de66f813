/* One stage's rules on their way to a verdict. For policy.c, which asks and
 * applies, and policy_wait.c, which keeps a run while somebody is awaited. */
#ifndef PROXY_SESSION_POLICY_RUN_H
#define PROXY_SESSION_POLICY_RUN_H

#include "proxy/session/policy.h"

/* What a run can't go on without. */
enum policy_need {
    NEED_SERVER, /* a policy server must be asked */
    NEED_STORE,  /* the store of budgets must be asked */
    NEED_TIME    /* a budget is asked again behind retry_ms */
};

struct policy_run {
    struct session *session;
    struct transaction *transaction; /* NULL: outside of one */
    enum stage stage;
    struct effects *effects;
    policy_then *then;
    struct evaluation evaluation;
    struct question question; /* the last */
    enum policy_need need;
    struct verdict verdict;
    struct str known_as; /* the login that client.known is of, normalised */
    bool is_deferred;    /* the store is away, and may not be done without */
    /* Of a paced question: what the budget said last, how long it was waited
     * for in all, and when to ask again. */
    struct answer answer;
    uint64_t paced_ms, retry_ms;
};

/* Goes on until there is a verdict (EVALUATE_VERDICT), what it did has been
 * applied, and only `then` is left to call; or until there is a need
 * (EVALUATE_QUESTION). */
enum evaluate_result policy_run_on(struct policy_run *run);
/* The store has answered the question. False: the budget is exceeded, and
 * there is time to ask again (NEED_TIME). */
bool policy_run_take(struct policy_run *run, const struct answer *answer);
/* It has not, and the run goes on without it. The same. */
bool policy_run_do_without(struct policy_run *run);
/* Asks a budget or list, if this machine knows of it. False: NEED_TIME, or
 * NEED_STORE. */
bool policy_run_ask_budget(struct policy_run *run);
/* client.known, as far as this machine knows. */
void policy_run_learn_known(struct policy_run *run);
/* Asks the store for it, then starts. False: it can't be asked. */
bool policy_run_ask_known(struct policy_run *run);
/* The run is given up, or has its verdict: what it counted for the session
 * goes to the session. */
void policy_run_leave(const struct policy_run *run);

/* Takes the run from its start to its `then`, now or later. */
void policy_run_start(struct policy_run *run);
/* The same of one that has started. */
void policy_run_finish(struct policy_run *run);
/* The same of one that has its verdict without any rule. */
void policy_run_tell(struct policy_run *run);

#endif
