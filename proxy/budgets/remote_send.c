/* What a remote ledger sends: questions, and what it has to tell. */
#include "proxy/budgets/remote_ledger_internal.h"

#include "proxy/log/server_log.h"

#include <stdio.h>
#include <string.h>

static struct str id_of(const struct remote_question *question, char out[17])
{
    snprintf(out, 17, "%016llx", (unsigned long long)question->token);
    return str_span(out, 16);
}

static struct str member_of(const struct remote_question *question)
{
    return question->has_member ? str_span(question->member, REMOTE_MEMBER)
                                : STR("");
}

/* What all scripts about a budget begin with. */
static void begin_budget(const struct remote_question *question,
                         struct remote_args *args)
{
    remote_args_begin(args, remote_key_of(question), question->remote->now_ms);
    remote_args_number(args, question->remote->hold_ms);
    remote_args_text(args, str_from(remote_kind_word(question->kind)));
}

static void put_hold(const struct remote_question *question,
                     struct remote_args *args, char id[17])
{
    begin_budget(question, args);
    remote_args_number(args, question->rate.amount);
    remote_args_number(args, question->rate.period_ms);
    remote_args_number(args, question->max);
    remote_args_number(args, question->cost);
    remote_args_text(args, question->is_charge ? STR("charge") : STR("hold"));
    remote_args_text(args, id_of(question, id));
    remote_args_text(args, member_of(question));
}

static void put_settle(const struct remote_question *question,
                       struct remote_args *args, char id[17])
{
    begin_budget(question, args);
    remote_args_number(args, question->rate.amount);
    remote_args_number(args, question->rate.period_ms);
    remote_args_number(args, question->cost);
    remote_args_number(args, question->charge);
    remote_args_text(args, question->is_commit ? STR("commit") : STR("back"));
    remote_args_text(args, id_of(question, id));
    remote_args_text(args, member_of(question));
    remote_args_text(args, question->is_again
                               ? str_span(question->life, sizeof question->life)
                               : STR(""));
}

static void put_renewal(const struct remote_question *question,
                        struct remote_args *args, char id[17])
{
    begin_budget(question, args);
    remote_args_number(args, question->rate.period_ms);
    remote_args_number(args, question->cost);
    remote_args_text(args, id_of(question, id));
    remote_args_text(args, member_of(question));
}

static void put_list(const struct remote_question *question,
                     struct remote_args *args)
{
    remote_args_begin(args, remote_key_of(question), question->remote->now_ms);
    remote_args_text(args, str_from(question->word));
    remote_args_text(args, remote_value_of(question));
    remote_args_number(args, question->for_ms);
    remote_args_number(args, question->list_max);
}

static enum remote_script_id put_args(const struct remote_question *question,
                                      struct remote_args *args, char id[17])
{
    if (question->state == REMOTE_RENEWING) {
        put_renewal(question, args, id);
        return SCRIPT_RENEW;
    }
    switch (question->what) {
    case REMOTE_HOLD:
        put_hold(question, args, id);
        return SCRIPT_HOLD;
    case REMOTE_SETTLE:
        put_settle(question, args, id);
        return SCRIPT_SETTLE;
    default:
        put_list(question, args);
        return SCRIPT_LIST;
    }
}

/* 0, or -1: not now. */
int remote_question_send(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    struct remote_args args;
    struct str words[REMOTE_ARGS_MAX + 2] = {STR("EVALSHA")};
    char id[17];
    enum remote_script_id script = put_args(question, &args, id);
    words[1] = str_span(remote->digests[script], 40);
    memcpy(words + 2, args.items, args.count * sizeof args.items[0]);
    return redis_link_send(remote->link, &question->command, words,
                           args.count + 2);
}

/* --- what is told --- */

static void lose(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    store_meter_add(remote->meter, STORE_LOST, 1);
    if (!remote->is_loss_told)
        server_log_write(remote->log, SERVER_ERROR,
                         "limits.store: more than %d commits and changes wait "
                         "for it: from now on they are lost, and less counts "
                         "than was sent, until it is back",
                         REMOTE_UNTOLD_MAX);
    remote->is_loss_told = true;
    remote_question_drop(question);
}

static void give_turn(struct remote_question *question)
{
    if (question->said == 0)
        question->said = ++question->remote->last_said;
}

/* What was under way when a connection broke comes before what was said since:
 * of a list's changes the last holds. */
static void put_in_turn(struct remote_queue *queue,
                        struct remote_question *question)
{
    struct remote_question **at = &queue->first;
    if (queue->last == NULL || queue->last->said < question->said) {
        remote_queue_put(queue, question);
        return;
    }
    while ((*at)->said < question->said)
        at = &(*at)->next;
    question->next = *at;
    *at = question;
    queue->count++;
}

void remote_keep_untold(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    give_turn(question);
    remote_stop_telling(question);
    question->state = REMOTE_UNTOLD;
    if (remote->untold.count < REMOTE_UNTOLD_MAX)
        put_in_turn(&remote->untold, question);
    else
        lose(question);
}

static int send_told(struct remote_question *question)
{
    question->state = REMOTE_SENT;
    if (remote_question_send(question) != 0)
        return -1;
    question->is_telling = true;
    question->remote->telling++;
    store_meter_add(question->remote->meter, STORE_TOLD, 1);
    return 0;
}

/* What is silent has enough to read: were it given up, all that it has not
 * read yet would be told anew, on another connection. */
static bool may_tell(const struct remote_ledger *remote)
{
    return remote_ledger_is_up(remote) && remote->telling < REMOTE_TELLING_MAX;
}

/* In the order in which it was said. */
void remote_tell(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    give_turn(question);
    if (!may_tell(remote) || remote->untold.count > 0 ||
        send_told(question) != 0)
        remote_keep_untold(question);
}

void remote_pump(struct remote_ledger *remote)
{
    while (may_tell(remote)) {
        struct remote_question *question = remote_queue_take(&remote->untold);
        if (question == NULL) {
            remote->is_loss_told = false;
            return;
        }
        if (send_told(question) == 0)
            continue;
        remote_keep_untold(question); /* where it was */
        return;
    }
}

/* The hold ends, by the words of its owner. */
void remote_settle(struct remote_question *hold, bool is_commit,
                   uint64_t charge)
{
    bool is_busy = hold->state == REMOTE_RENEWING;
    hold->what = REMOTE_SETTLE;
    hold->is_commit = is_commit;
    hold->charge = charge < REMOTE_UNITS_MAX ? charge : REMOTE_UNITS_MAX;
    hold->is_to_settle = is_busy;
    if (!is_busy)
        remote_tell(hold);
}
