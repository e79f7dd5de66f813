/* A question is kept until it is answered; a hold that was granted until it is
 * settled, and that until the store has said so. So whatever breaks, each
 * knows what it still has to say. */
#include "proxy/budgets/remote_ledger_internal.h"

#include "proxy/log/server_log.h"
#include "rules/dynamic_list.h"
#include "rules/limit.h"
#include "rules/list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* --- life --- */

struct remote_ledger *remote_ledger_new(struct loop *loop,
                                        const struct limits_settings *settings,
                                        struct server_log *log,
                                        struct store_word *word,
                                        struct store_meter *meter)
{
    struct remote_ledger *remote = calloc(1, sizeof *remote);
    if (remote == NULL)
        return NULL;
    remote->loop = loop;
    remote->meter = meter;
    remote->settings = settings;
    remote->log = log;
    remote->hold_ms = REMOTE_HOLD_MS;
    /* No two servers ever give the same. */
    if (getrandom(&remote->next_token, sizeof remote->next_token, 0) !=
        sizeof remote->next_token) {
        free(remote);
        return NULL;
    }
    remote->renewal = timer_new(loop, remote_on_renewal, remote);
    remote->life_watch = timer_new(loop, remote_on_life_watch, remote);
    remote->link = redis_link_new(loop, settings, word, remote->meter,
                                  &remote_link_events, remote);
    if (remote->renewal == NULL || remote->life_watch == NULL ||
        remote->link == NULL) {
        remote_ledger_free(remote);
        return NULL;
    }
    timer_start(remote->renewal, remote->hold_ms / 3);
    timer_start(remote->life_watch, REMOTE_LIFE_MS);
    return remote;
}

void remote_ledger_finish(struct remote_ledger *remote,
                          void (*on_finished)(void *owner), void *owner)
{
    remote->on_finished = on_finished;
    remote->finisher = owner;
    remote_check_finished(remote);
}

static void tell_of_loss(struct remote_ledger *remote)
{
    size_t count = remote->untold.count;
    if (count == 0)
        return;
    store_meter_add(remote->meter, STORE_LOST, count);
    server_log_write(remote->log, SERVER_WARNING,
                     "limits.store %.*s: %zu commits and changes could not be "
                     "told to it before the end, and are lost",
                     (int)remote->settings->store_text.n,
                     remote->settings->store_text.p, count);
}

void remote_ledger_free(struct remote_ledger *remote)
{
    if (remote == NULL)
        return;
    remote->on_finished = NULL;
    redis_link_free(remote->link);
    timer_free(remote->renewal);
    timer_free(remote->life_watch);
    tell_of_loss(remote);
    while (remote->newest != NULL)
        remote_question_drop(remote->newest);
    free(remote->buckets);
    free(remote);
}

void remote_ledger_set_clock(struct remote_ledger *remote, uint64_t now_ms,
                             uint64_t hold_ms)
{
    remote->now_ms = now_ms;
    if (hold_ms != remote->hold_ms)
        timer_start(remote->renewal, hold_ms / 3);
    remote->hold_ms = hold_ms;
}

void remote_ledger_set_password(struct remote_ledger *remote,
                                struct str password)
{
    redis_link_set_password(remote->link, password);
}

bool remote_ledger_is_up(const struct remote_ledger *remote)
{
    return remote->is_ready && !redis_link_is_silent(remote->link);
}

/* --- asking --- */

static bool may_ask(struct remote_ledger *remote)
{
    store_meter_add(remote->meter, STORE_QUESTIONS, 1);
    if (!remote_ledger_is_up(remote))
        store_meter_add(remote->meter, STORE_AWAY, 1);
    else if (remote->asked >= REMOTE_QUESTIONS_MAX ||
             remote_holds_room(remote) != 0)
        store_meter_add(remote->meter, STORE_FULL, 1);
    else
        return true;
    return false;
}

static struct remote_question *ask(struct remote_question *question,
                                   remote_answered *done, void *owner)
{
    if (question == NULL)
        return NULL;
    question->command.replied = remote_on_replied;
    question->command.late = remote_on_late;
    question->state = REMOTE_SENT;
    question->done = done;
    question->owner = owner;
    if (remote_question_send(question) != 0) {
        store_meter_add(question->remote->meter, STORE_FULL, 1);
        remote_question_drop(question);
        return NULL;
    }
    question->remote->asked++;
    return question;
}

/* More than doubles can tell apart is more than any limit. */
static uint64_t units(uint64_t number)
{
    return number > REMOTE_UNITS_MAX ? REMOTE_UNITS_MAX + 2 : number;
}

static struct remote_question *make_hold(struct remote_ledger *remote,
                                         const struct question *asked)
{
    char key[REMOTE_KEY_MAX];
    size_t n = remote_budget_key(asked->rule, asked->limit, asked->key, key);
    struct remote_question *question = remote_question_make(
        remote, REMOTE_HOLD, str_span(key, n), (struct str){0});
    if (question == NULL)
        return NULL;
    question->kind = remote_kind_of(asked->limit, asked->member.p != NULL);
    question->is_charge = asked->is_charge;
    question->has_member = question->kind != REMOTE_BUCKET;
    if (question->has_member)
        remote_member(asked->member, question->member);
    question->cost = question->has_member ? 1 : units(asked->cost);
    question->max =
        asked->max > REMOTE_UNITS_MAX ? REMOTE_UNITS_MAX : asked->max;
    question->rate = asked->rate;
    if (question->rate.amount > REMOTE_UNITS_MAX)
        question->rate.amount = REMOTE_UNITS_MAX;
    if (++remote->next_token == 0)
        remote->next_token = 1;
    question->token = remote->next_token;
    return question;
}

static struct remote_question *make_list(struct remote_ledger *remote,
                                         enum remote_what what,
                                         const char *word, struct str list,
                                         struct str value)
{
    char key[REMOTE_KEY_MAX];
    size_t n = remote_list_key(list, key);
    struct remote_question *question =
        remote_question_make(remote, what, str_span(key, n), value);
    if (question == NULL)
        return NULL;
    question->command.replied = remote_on_replied;
    question->word = word;
    question->list_max = REMOTE_LISTED_MAX;
    return question;
}

static struct remote_question *make_known(struct remote_ledger *remote,
                                          enum remote_what what,
                                          const char *word, struct str user,
                                          struct str net)
{
    char key[REMOTE_KEY_MAX];
    size_t n = remote_known_key(user, key);
    struct remote_question *question =
        remote_question_make(remote, what, str_span(key, n), net);
    if (question == NULL)
        return NULL;
    question->command.replied = remote_on_replied;
    question->word = word;
    question->for_ms = REMOTE_NETS_MS;
    question->list_max = REMOTE_NETS_MAX;
    return question;
}

void remote_ledger_miss(struct remote_ledger *remote)
{
    store_meter_add(remote->meter, STORE_QUESTIONS, 1);
    store_meter_add(remote->meter, STORE_AWAY, 1);
}

struct remote_question *remote_ledger_ask(struct remote_ledger *remote,
                                          const struct question *question,
                                          remote_answered *done, void *owner)
{
    if (!may_ask(remote))
        return NULL;
    return ask(question->kind == QUESTION_HOLD
                   ? make_hold(remote, question)
                   : make_list(remote, REMOTE_LISTED, "holds",
                               question->list->name, question->value),
               done, owner);
}

struct remote_question *remote_ledger_ask_known(struct remote_ledger *remote,
                                                struct str user, struct str net,
                                                remote_answered *done,
                                                void *owner)
{
    if (!may_ask(remote))
        return NULL;
    return ask(make_known(remote, REMOTE_LISTED, "holds", user, net), done,
               owner);
}

void remote_question_cancel(struct remote_question *asked)
{
    asked->done = NULL;
}

/* --- telling --- */

static void settle_hold(struct remote_ledger *remote, struct hold *hold,
                        bool is_commit)
{
    if (hold->is_settled)
        return;
    hold->is_settled = true;
    struct remote_question *kept = remote_holds_take(remote, hold->token);
    if (kept != NULL)
        remote_settle(kept, is_commit, kept->has_member ? 1 : hold->charge);
}

void remote_ledger_commit(struct remote_ledger *remote, struct hold *hold)
{
    settle_hold(remote, hold, true);
}

void remote_ledger_give_back(struct remote_ledger *remote, struct hold *hold)
{
    settle_hold(remote, hold, false);
}

static void tell_made(struct remote_ledger *remote,
                      struct remote_question *change)
{
    if (change != NULL)
        remote_tell(change);
    else
        store_meter_add(remote->meter, STORE_LOST, 1);
}

void remote_ledger_apply(struct remote_ledger *remote,
                         const struct list_change *change)
{
    /* As in the server's own memory: what is that long is in no list. */
    if (change->value.n > DYNAMIC_LIST_VALUE_MAX) {
        store_meter_add(remote->meter, STORE_LOST, 1);
        return;
    }
    struct remote_question *made =
        make_list(remote, REMOTE_CHANGE, change->is_removal ? "remove" : "add",
                  change->list->name, change->value);
    if (made != NULL)
        made->for_ms = change->for_ms;
    tell_made(remote, made);
}

void remote_ledger_know(struct remote_ledger *remote, struct str user,
                        struct str net)
{
    tell_made(remote, make_known(remote, REMOTE_CHANGE, "know", user, net));
}
