#include "proxy/session/policy_reply.h"

#include <stdlib.h>

#include "proxy/session/transaction.h"
#include "proxy/session/upstream_answers.h"

struct reply_run {
    struct policy_run run;
    struct facts facts; /* as they were with this reply */
    struct remote_question *asked;
};

static void finish(struct reply_run *reply);

static void on_stored(void *owner, const struct answer *answer,
                      const char *fault)
{
    struct reply_run *reply = owner;
    reply->asked = NULL;
    (void)fault; /* the server log has it */
    /* None is paced here. */
    (void)(answer == NULL ? policy_run_do_without(&reply->run)
                          : policy_run_take(&reply->run, answer));
    finish(reply);
}

static void finish(struct reply_run *reply)
{
    struct policy_run *run = &reply->run;
    struct transaction *t = run->transaction;
    struct session *s = run->session;
    while (policy_run_on(run) == EVALUATE_QUESTION) {
        reply->asked = remote_ledger_ask(s->host->budgets.remote,
                                         &run->question, on_stored, reply);
        if (reply->asked != NULL)
            return;
        (void)policy_run_do_without(run);
    }
    free(reply);
    if (transaction_reply_judged(t))
        upstream_answers_conclude(s);
}

void policy_reply_await(const struct policy_run *run)
{
    struct reply_run *reply = calloc(1, sizeof *reply);
    if (reply == NULL)
        return;
    reply->run = *run;
    facts_init(&reply->facts);
    for (int fact = 0; fact < FACT_COUNT; fact++)
        facts_copy(&reply->facts, run->evaluation.facts, (enum fact)fact);
    reply->facts.header = run->evaluation.facts->header;
    reply->run.evaluation.facts = &reply->facts;
    run->transaction->replies_in_question++;
    reply->asked = remote_ledger_ask(run->session->host->budgets.remote,
                                     &run->question, on_stored, reply);
    if (reply->asked != NULL)
        return;
    (void)policy_run_do_without(&reply->run);
    finish(reply);
}
