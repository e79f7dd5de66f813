/* A run of the rules that waits for a policy server, the store of budgets or
 * an upstream's budget, or whose answer is held by a rule's `delay`. It moves
 * off the stack only then. */
#include "proxy/session/policy_run.h"

#include <stdlib.h>

#include "proxy/session/policy_question.h"
#include "proxy/session/session_log.h"
#include "proxy/session/transaction.h"

/* All that one answer may wait for, questions and delays together: clients
 * give up after five minutes (RFC 5321 4.5.3.2). */
#define WAIT_MAX_MS ((uint64_t)4 * 60 * 1000)
/* Many may wait for one budget: none asks more often than this. */
#define PACE_LEAST_MS 100

struct policy_wait {
    struct policy_run run;
    uint64_t since_ms, asked_us;
    struct ask *ask;               /* with a policy server */
    struct remote_question *asked; /* with the store of budgets */
    struct timer *timer; /* of a held answer, or until a budget is asked again;
                            NULL: neither */
    uint64_t paced_from_ms; /* when that began */
};

/* NULL: out of memory. The client's deadline stands still from now on. */
static struct policy_wait *begin_wait(const struct policy_run *run)
{
    struct session *s = run->session;
    struct policy_wait *wait = calloc(1, sizeof *wait);
    if (wait == NULL)
        return NULL;
    wait->run = *run;
    wait->since_ms = loop_now_ms(s->host->loop);
    s->awaited = wait;
    session_touch(s);
    return wait;
}

/* The client had to wait for us: its own time goes on where it stood. */
static void end_wait(struct policy_wait *wait)
{
    struct session *s = wait->run.session;
    uint64_t waited = loop_now_ms(s->host->loop) - wait->since_ms;
    if (s->auth_by_ms != 0)
        s->auth_by_ms += waited;
    if (wait->run.transaction != NULL)
        wait->run.transaction->was_held_back = true;
    s->awaited = NULL;
    timer_free(wait->timer);
    free(wait);
    session_touch(s);
}

static uint64_t left_ms(const struct policy_wait *wait)
{
    uint64_t now = loop_now_ms(wait->run.session->host->loop);
    uint64_t gone = now - wait->since_ms;
    return gone < WAIT_MAX_MS ? WAIT_MAX_MS - gone : 0;
}

static void note_answer(struct policy_run *run, uint64_t asked_us,
                        struct str action, const char *fault)
{
    struct session *s = run->session;
    struct asked asked = {
        .stage = run->stage,
        .rule = rule_name(run->question.rule),
        .server = run->question.server,
        .action = action,
        .fault = fault,
        .us = loop_clock_us(s->host->loop) - asked_us,
    };
    if (s->transaction != NULL)
        transaction_note_asked(s->transaction, &asked);
}

/* Without an answer the server's on_failure decides. */
static void take_answer(struct policy_run *run, struct str action)
{
    struct asks *asks = run->session->host->asks;
    struct answer answer = {.action = action};
    if (action.p == NULL && asks != NULL &&
        asks_continue(asks, run->question.server))
        answer.action = STR("DUNNO");
    evaluate_answer(&run->evaluation, &answer);
}

static void finish(struct policy_run *run, struct policy_wait *wait);
static bool await(struct policy_wait *wait);
static void do_without(struct policy_run *run);

static void on_answer(void *owner, struct str action, const char *fault)
{
    struct policy_wait *wait = owner;
    struct session *s = wait->run.session;
    wait->ask = NULL;
    note_answer(&wait->run, wait->asked_us, action, fault);
    take_answer(&wait->run, action);
    finish(&wait->run, wait);
    session_run(s);
}

static bool ask_server(struct policy_wait *wait)
{
    struct policy_run *run = &wait->run;
    struct session *s = run->session;
    char request[POLICY_REQUEST_MAX];
    size_t n = policy_question_write(s, run->stage, request, sizeof request);
    if (n == 0 || s->host->asks == NULL)
        return false;
    wait->asked_us = loop_clock_us(s->host->loop);
    wait->ask = ask_start(s->host->asks, run->question.server,
                          str_span(request, n), left_ms(wait), on_answer, wait);
    return wait->ask != NULL;
}

/* --- the store of budgets --- */

static void on_stored(void *owner, const struct answer *answer,
                      const char *fault)
{
    struct policy_wait *wait = owner;
    struct session *s = wait->run.session;
    wait->asked = NULL;
    (void)fault; /* the server log has it */
    if (!(answer == NULL ? policy_run_do_without(&wait->run)
                         : policy_run_take(&wait->run, answer))) {
        if (await(wait))
            return;
        do_without(&wait->run);
    }
    finish(&wait->run, wait);
    session_run(s);
}

static bool ask_store(struct policy_wait *wait)
{
    struct remote_ledger *remote = wait->run.session->host->budgets.remote;
    wait->asked =
        remote_ledger_ask(remote, &wait->run.question, on_stored, wait);
    return wait->asked != NULL;
}

static void on_known(void *owner, const struct answer *answer,
                     const char *fault)
{
    struct policy_wait *wait = owner;
    struct policy_run run = wait->run;
    struct session *s = run.session;
    wait->asked = NULL;
    (void)fault;
    end_wait(wait);
    if (answer == NULL)
        policy_run_learn_known(&run);
    else
        facts_set_text(&s->facts, FACT_CLIENT_KNOWN,
                       answer->is_listed ? STR("true") : STR("false"));
    policy_run_start(&run);
    session_run(s);
}

bool policy_run_ask_known(struct policy_run *run)
{
    struct session *s = run->session;
    struct policy_wait *wait = begin_wait(run);
    if (wait == NULL)
        return false;
    wait->asked = remote_ledger_ask_known(
        s->host->budgets.remote, run->known_as,
        facts_text(&s->facts, FACT_CLIENT_NET), on_known, wait);
    if (wait->asked != NULL)
        return true;
    end_wait(wait);
    return false;
}

/* --- time --- */

/* Asks the budget again; the log tells of this time. */
static void on_paced(void *owner)
{
    struct policy_wait *wait = owner;
    struct policy_run *run = &wait->run;
    struct session *s = run->session;
    timer_free(wait->timer);
    wait->timer = NULL;
    run->paced_ms += loop_now_ms(s->host->loop) - wait->paced_from_ms;
    s->asked_us = loop_clock_us(s->host->loop);
    if (run->transaction != NULL)
        run->transaction->stage_us[run->stage] = s->asked_us;
    if (!policy_run_ask_budget(run)) {
        if (await(wait))
            return;
        do_without(run);
    }
    finish(run, wait);
    session_run(s);
}

/* False: out of memory, or too late; then the rule acts. */
static bool pace(struct policy_wait *wait)
{
    uint64_t ms = wait->run.retry_ms;
    struct loop *loop = wait->run.session->host->loop;
    if (ms < PACE_LEAST_MS)
        ms = PACE_LEAST_MS;
    if (ms > left_ms(wait))
        return false;
    wait->timer = timer_new(loop, on_paced, wait);
    if (wait->timer == NULL)
        return false;
    wait->paced_from_ms = loop_now_ms(loop);
    timer_start(wait->timer, ms);
    return true;
}

static void on_delay(void *owner)
{
    struct policy_wait *wait = owner;
    struct session *s = wait->run.session;
    policy_then *then = wait->run.then;
    struct verdict verdict = wait->run.verdict;
    end_wait(wait);
    then(s, &verdict);
    session_run(s);
}

/* False: out of memory, or the answer has waited long enough. */
static bool hold_answer(struct policy_wait *wait, uint64_t ms)
{
    uint64_t left = left_ms(wait);
    wait->timer = timer_new(wait->run.session->host->loop, on_delay, wait);
    if (wait->timer == NULL || left == 0)
        return false;
    timer_start(wait->timer, ms < left ? ms : left);
    return true;
}

/* The verdict is there. */
static void tell(struct policy_run *run, struct policy_wait *wait)
{
    struct session *s = run->session;
    uint64_t delay = run->effects->delay_ms;
    run->effects->delay_ms = 0;
    if (delay > 0 && wait == NULL && (wait = begin_wait(run)) != NULL)
        run = &wait->run;
    if (delay > 0 && wait != NULL && hold_answer(wait, delay))
        return;
    policy_then *then = run->then;
    struct verdict verdict = run->verdict;
    if (wait != NULL)
        end_wait(wait);
    then(s, &verdict);
}

/* Somebody is asked, or time goes by. */
static bool await(struct policy_wait *wait)
{
    switch (wait->run.need) {
    case NEED_SERVER:
        return ask_server(wait);
    case NEED_STORE:
        return ask_store(wait);
    case NEED_TIME:
        return pace(wait);
    }
    return false;
}

/* Nobody can be asked, and there is no time. */
static void do_without(struct policy_run *run)
{
    struct session *s = run->session;
    switch (run->need) {
    case NEED_SERVER:
        note_answer(run, loop_clock_us(s->host->loop), (struct str){NULL, 0},
                    "it could not be asked: out of memory, or it is gone");
        take_answer(run, (struct str){NULL, 0});
        break;
    case NEED_STORE:
        if (!policy_run_do_without(run))
            evaluate_answer(&run->evaluation, &run->answer);
        break;
    case NEED_TIME:
        evaluate_answer(&run->evaluation, &run->answer);
        break;
    }
}

static void finish(struct policy_run *run, struct policy_wait *wait)
{
    while (policy_run_on(run) == EVALUATE_QUESTION) {
        if (wait == NULL && (wait = begin_wait(run)) != NULL)
            run = &wait->run;
        if (wait != NULL && await(wait))
            return;
        do_without(run);
    }
    tell(run, wait);
}

void policy_run_finish(struct policy_run *run)
{
    finish(run, NULL);
}

void policy_run_tell(struct policy_run *run)
{
    tell(run, NULL);
}

void policy_forget(struct session *s)
{
    struct policy_wait *wait = s->awaited;
    if (wait == NULL)
        return;
    s->awaited = NULL;
    if (wait->ask != NULL)
        ask_cancel(wait->ask);
    if (wait->asked != NULL)
        remote_question_cancel(wait->asked);
    if (wait->ask != NULL || wait->asked != NULL)
        policy_run_leave(&wait->run);
    timer_free(wait->timer);
    free(wait);
}
