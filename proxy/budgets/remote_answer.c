/* What comes back: answers, and that there will be none. */
#include "proxy/budgets/remote_ledger_internal.h"

#include "proxy/budgets/redis_words.h"
#include "proxy/log/server_log.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#define FAULT_MAX 200

static void answer(struct remote_question *question, const struct answer *said,
                   const char *fault)
{
    remote_answered *done = question->done;
    question->done = NULL;
    if (done != NULL)
        done(question->owner, said, fault);
}

static void end_question(struct remote_question *question,
                         enum store_count count, const char *fault)
{
    question->remote->asked--;
    if (question->done != NULL)
        store_meter_add(question->remote->meter, count, 1);
    answer(question, NULL, fault);
}

/* It may have been granted; a charge stays. */
void remote_give_up(struct remote_question *question, const char *fault)
{
    end_question(question, STORE_BROKEN, fault);
    if (question->what != REMOTE_HOLD || question->is_charge) {
        remote_question_drop(question);
        return;
    }
    question->is_again = true;
    remote_settle(question, false, 0);
}

void remote_on_lost(struct remote_question *question)
{
    if (question->state == REMOTE_RENEWING) {
        question->state = REMOTE_HELD;
        if (question->is_to_settle)
            remote_keep_untold(question);
        return;
    }
    if (remote_is_question(question)) {
        remote_give_up(question, redis_link_fault(question->remote->link));
        return;
    }
    question->is_again = true;
    remote_keep_untold(question);
}

static void on_error(struct remote_question *question, const redisReply *reply)
{
    struct remote_ledger *remote = question->remote;
    char fault[FAULT_MAX];
    bool is_told = reply->type == REDIS_REPLY_ERROR;
    snprintf(fault, sizeof fault, "it answered: %.*s",
             is_told ? (int)reply->len : 0, is_told ? reply->str : "");
    server_log_write(remote->log, SERVER_ERROR, "limits.store: %s",
                     is_told ? fault : "its answer is not that of the script");
    if (question->state == REMOTE_RENEWING) {
        question->state = REMOTE_HELD;
        if (question->is_to_settle)
            remote_tell(question);
    } else if (remote_is_question(question)) {
        remote_give_up(question, fault);
    } else {
        store_meter_add(remote->meter, STORE_LOST, 1);
        remote_question_drop(question);
    }
}

static void on_hold(struct remote_question *question, const redisReply *reply)
{
    struct remote_ledger *remote = question->remote;
    struct remote_told told;
    struct answer said;
    if (remote_read_told(reply, &told) != 0 ||
        remote_read_hold(&told, question->cost, &question->rate,
                         question->is_charge, &said,
                         &question->has_member) != 0) {
        on_error(question, reply);
        return;
    }
    remote->asked--;
    if (question->done != NULL)
        store_meter_add(remote->meter,
                        said.is_within ? STORE_WITHIN : STORE_EXCEEDED, 1);
    if (question->is_charge || !said.is_within) {
        answer(question, &said, NULL);
        remote_question_drop(question);
        return;
    }
    if (question->done == NULL) {
        remote_settle(question, false, 0);
        return;
    }
    question->state = REMOTE_HELD;
    question->round = remote->round;
    memcpy(question->life, remote->life, sizeof question->life);
    said.token = question->token;
    remote_holds_put(remote, question);
    answer(question, &said, NULL);
}

static void on_listed(struct remote_question *question, const redisReply *reply)
{
    struct remote_ledger *remote = question->remote;
    if (reply->type != REDIS_REPLY_INTEGER) {
        on_error(question, reply);
        return;
    }
    struct answer said = {.is_listed = reply->integer == 1};
    remote->asked--;
    if (question->done != NULL)
        store_meter_add(remote->meter,
                        said.is_listed ? STORE_LISTED : STORE_UNLISTED, 1);
    answer(question, &said, NULL);
    remote_question_drop(question);
}

static void on_told(struct remote_question *question, const redisReply *reply)
{
    struct remote_ledger *remote = question->remote;
    if (reply->type != REDIS_REPLY_INTEGER) {
        on_error(question, reply);
        return;
    }
    if (question->what == REMOTE_CHANGE && reply->integer < 0)
        server_log_write(remote->log, SERVER_WARNING,
                         "limits.store: %.*s is full: %d values",
                         (int)question->key_length, question->texts,
                         REMOTE_LISTED_MAX);
    remote_question_drop(question);
}

static void on_renewed(struct remote_question *question,
                       const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_INTEGER) {
        on_error(question, reply);
        return;
    }
    question->state = REMOTE_HELD;
    memcpy(question->life, question->remote->life, sizeof question->life);
    if (question->is_to_settle)
        remote_tell(question);
}

static void on_unloaded(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    /* It is renewed in its turn. */
    if (question->state == REMOTE_RENEWING) {
        question->state = REMOTE_HELD;
        if (question->is_to_settle)
            remote_keep_untold(question);
        timer_start(remote->renewal, REMOTE_RENEW_AGAIN_MS);
    } else {
        question->state = REMOTE_UNLOADED;
        remote_queue_put(&remote->unloaded, question);
    }
    remote_load_scripts(remote);
}

void remote_on_replied(struct redis_command *command,
                       const struct redisReply *reply)
{
    struct remote_question *question = (struct remote_question *)command;
    struct remote_ledger *remote = question->remote;
    const char *words;
    if (reply == NULL) {
        remote_on_lost(question);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        if (redis_error_of(str_span(reply->str, reply->len), &words) ==
            REDIS_ERROR_NOSCRIPT)
            on_unloaded(question);
        else
            on_error(question, reply);
    } else if (question->state == REMOTE_RENEWING) {
        on_renewed(question, reply);
    } else if (question->what == REMOTE_HOLD) {
        on_hold(question, reply);
    } else if (question->what == REMOTE_LISTED) {
        on_listed(question, reply);
    } else {
        on_told(question, reply);
    }
    /* There is room for one more. */
    if (remote->untold.count > 0)
        remote_pump(remote);
}

void remote_on_late(struct redis_command *command)
{
    struct remote_question *question = (struct remote_question *)command;
    struct remote_ledger *remote = question->remote;
    char fault[FAULT_MAX];
    if (question->done == NULL)
        return;
    store_meter_add(remote->meter, STORE_LATE, 1);
    snprintf(fault, sizeof fault, "no answer within %llu ms",
             (unsigned long long)remote->settings->store_timeout_ms);
    answer(question, NULL, fault);
}
