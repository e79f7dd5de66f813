#include "tests/dialogue/fake_remote_ledger.h"

#include "proxy/net/timer.h"
#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/fake_net.h"

struct remote_question {
    struct remote_question *next;
    struct remote_ledger *remote;
    struct timer *timer;
    struct question question;
    struct str user, net; /* client.known; p NULL: it is another question */
    uint64_t asked_ms;
    bool is_lost;
    remote_answered *done;
    void *owner;
};

/* The server makes one for each worker; a world has its own. */
struct remote_ledger *remote_ledger_new(struct loop *loop,
                                        const struct limits_settings *settings,
                                        struct server_log *log,
                                        struct store_word *word,
                                        struct store_meter *meter)
{
    (void)meter;
    (void)loop;
    (void)settings;
    (void)log;
    (void)word;
    return NULL;
}

void remote_ledger_free(struct remote_ledger *remote)
{
    (void)remote;
}

bool remote_ledger_is_up(const struct remote_ledger *remote)
{
    return remote->ledger != NULL;
}

void remote_ledger_miss(struct remote_ledger *remote)
{
    (void)remote;
}

static void forget(struct remote_question *asked)
{
    struct remote_question **at = &asked->remote->questions;
    while (*at != asked)
        at = &(*at)->next;
    *at = asked->next;
    timer_free(asked->timer);
    plain_free(asked);
}

static void on_due(void *owner)
{
    struct remote_question asked = *(struct remote_question *)owner;
    struct remote_ledger *remote = asked.remote;
    struct answer answer = {0};
    forget(owner);
    if (asked.is_lost) {
        asked.done(asked.owner, NULL, "it is lost");
        return;
    }
    if (asked.user.p != NULL)
        answer.is_listed = shared_ledger_knows(remote->ledger, asked.user,
                                               asked.net, asked.asked_ms);
    else
        shared_ledger_answer(remote->ledger, &asked.question, asked.asked_ms,
                             &answer);
    answer.token = remote->asked;
    asked.done(asked.owner, &answer, NULL);
}

static struct remote_question *ask(struct remote_ledger *remote,
                                   remote_answered *done, void *owner)
{
    if (alloc_fault_strikes())
        return NULL;
    struct remote_question *asked = plain_alloc(sizeof *asked);
    *asked = (struct remote_question){
        .next = remote->questions,
        .remote = remote,
        .timer = timer_new(remote->loop, on_due, asked),
        .asked_ms = loop_clock_us(remote->loop) / 1000,
        .is_lost = ++remote->asked % 3 == 0,
        .done = done,
        .owner = owner,
    };
    if (asked->timer == NULL) {
        plain_free(asked);
        return NULL;
    }
    remote->questions = asked;
    timer_start(asked->timer, 0);
    return asked;
}

struct remote_question *remote_ledger_ask(struct remote_ledger *remote,
                                          const struct question *question,
                                          remote_answered *done, void *owner)
{
    struct remote_question *asked = ask(remote, done, owner);
    if (asked != NULL)
        asked->question = *question;
    return asked;
}

struct remote_question *remote_ledger_ask_known(struct remote_ledger *remote,
                                                struct str user, struct str net,
                                                remote_answered *done,
                                                void *owner)
{
    struct remote_question *asked = ask(remote, done, owner);
    if (asked != NULL) {
        asked->user = user;
        asked->net = net;
    }
    return asked;
}

void remote_question_cancel(struct remote_question *asked)
{
    forget(asked);
}

void remote_ledger_commit(struct remote_ledger *remote, struct hold *hold)
{
    shared_ledger_commit(remote->ledger, hold,
                         loop_clock_us(remote->loop) / 1000);
}

void remote_ledger_give_back(struct remote_ledger *remote, struct hold *hold)
{
    shared_ledger_give_back(remote->ledger, hold,
                            loop_clock_us(remote->loop) / 1000);
}

/* Who tells the store has told the machine's own ledger, which is the same. */
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

void remote_ledger_finish(struct remote_ledger *remote,
                          void (*on_finished)(void *owner), void *owner)
{
    (void)remote;
    on_finished(owner);
}
