/* One stage's rules on their way to a verdict. For policy.c, which asks and
 * applies, and policy_wait.c, which keeps a run while somebody is awaited. */
#ifndef PROXY_SESSION_POLICY_RUN_H
#define PROXY_SESSION_POLICY_RUN_H

#include "proxy/session/policy.h"

struct policy_run {
    struct session *session;
    enum stage stage;
    struct effects *effects;
    policy_then *then;
    struct evaluation evaluation;
    struct question question; /* for a policy server, or that is paced */
    struct verdict verdict;
    /* Of a paced question: what the budget said last, how long it was waited
     * for in all, and when to ask again. */
    struct answer answer;
    uint64_t paced_ms, retry_ms;
};

/* Goes on until there is a verdict (EVALUATE_VERDICT), what it did has been
 * applied, and only `then` is left to call; or until a policy server must be
 * asked, or a budget asked again behind retry_ms
 * (EVALUATE_QUESTION). */
enum evaluate_result policy_run_on(struct policy_run *run);
/* Asks the budget of the question. False: it is exceeded, and there is time to
 * ask again. */
bool policy_run_hold(struct policy_run *run);
/* The run is given up, or has its verdict: what it counted for the session
 * goes to the session. */
void policy_run_leave(const struct policy_run *run);

/* Takes the run to its `then`, now or later. */
void policy_run_finish(struct policy_run *run);
/* The same of one that has its verdict without any rule. */
void policy_run_tell(struct policy_run *run);

#endif
