/* Dovecot's authentication service: one connection a worker, made when the
 * first question needs it and kept, with many questions under way. What a
 * lost connection leaves unanswered is asked once more over a new one. */
#include "proxy/login/back_end.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/login/dovecot_internal.h"

/* While Dovecot starts anew its socket is away for a moment. */
#define RESTART_MS 3000
#define RETRY_MS 200

static void decide_waiting(struct dovecot *dovecot, const char *fault)
{
    struct question *question;
    while ((question = dovecot_find_waiting(dovecot)) != NULL)
        question_decide(question, LOGIN_UNAVAILABLE, fault);
}

static void on_open(void *owner)
{
    struct dovecot *dovecot = owner;
    struct question *question;
    while ((question = dovecot_find_waiting(dovecot)) != NULL)
        question_put(question);
}

static void on_answer(void *owner, enum dovecot_next kind,
                      const struct dovecot_answer *answer)
{
    dovecot_take_answer(owner, kind, answer);
}

/* What was asked may be asked once more. */
static void take_back_asked(struct dovecot *dovecot)
{
    for (struct question *question = dovecot->first; question != NULL;
         question = question->next) {
        if (question->state != QUESTION_ASKED)
            continue;
        question->state = QUESTION_WAITING;
        question->was_continued = false;
        if (question->times >= DOVECOT_TIMES_MAX)
            question_decide(question, LOGIN_UNAVAILABLE, dovecot->fault);
    }
}

static void drop_link(struct dovecot *dovecot, const char *fault)
{
    if (dovecot_link_is_open(dovecot->link))
        dovecot->patient_to_ms = loop_now_ms(dovecot->loop) + RESTART_MS;
    snprintf(dovecot->fault, sizeof dovecot->fault, "%s", fault);
    take_back_asked(dovecot);
    dovecot_link_free(dovecot->link);
    dovecot->link = NULL;
}

static void connect_anew(struct dovecot *dovecot);

static void on_lost(void *owner, const char *fault)
{
    struct dovecot *dovecot = owner;
    bool was_open = dovecot_link_is_open(dovecot->link);
    drop_link(dovecot, fault);
    if (dovecot_find_waiting(dovecot) == NULL)
        return;
    if (was_open) {
        connect_anew(dovecot);
    } else if (loop_now_ms(dovecot->loop) < dovecot->patient_to_ms) {
        dovecot->is_retrying = true;
        timer_start(dovecot->retry, RETRY_MS);
    } else {
        decide_waiting(dovecot, dovecot->fault);
    }
}

static const struct dovecot_link_events LINK_EVENTS = {
    .on_open = on_open,
    .on_answer = on_answer,
    .on_lost = on_lost,
};

static void connect_anew(struct dovecot *dovecot)
{
    dovecot->link =
        dovecot_link_new(dovecot->loop, dovecot->path, &LINK_EVENTS, dovecot);
    if (dovecot->link == NULL)
        decide_waiting(dovecot, "out of memory");
}

static void on_retry(void *owner)
{
    struct dovecot *dovecot = owner;
    dovecot->is_retrying = false;
    if (dovecot_find_waiting(dovecot) != NULL)
        connect_anew(dovecot);
}

/* Whether nothing at all was heard since: such a connection is dead. */
static bool is_silent(const struct question *question)
{
    return question->state == QUESTION_ASKED &&
           dovecot_link_heard_ms(question->dovecot->link) <= question->asked_ms;
}

static void give_up(struct question *question)
{
    static const char *const fault = "it did not answer in time";
    struct dovecot *dovecot = question->dovecot;
    if (is_silent(question)) {
        question_decide(question, LOGIN_UNAVAILABLE, fault);
        drop_link(dovecot, fault);
        if (dovecot_find_waiting(dovecot) != NULL)
            connect_anew(dovecot);
    } else {
        question_send_cancel(question);
    }
    question_fail(question, fault);
}

static void on_timer(void *owner)
{
    struct question *question = owner;
    const struct login_answer decided = {.result = question->decided,
                                         .error = question->fault};
    if (question->state == QUESTION_DECIDED)
        question_finish(question, &decided);
    else
        give_up(question);
}

static void *open_dovecot(const struct back_end_means *means,
                          const struct backend_settings *settings, void *shared)
{
    struct dovecot *dovecot = calloc(1, sizeof *dovecot);
    (void)shared;
    if (dovecot == NULL)
        return NULL;
    dovecot->loop = means->loop;
    dovecot->log = means->log;
    dovecot->path = strdup(settings->dovecot);
    dovecot->retry = timer_new(means->loop, on_retry, dovecot);
    if (dovecot->path != NULL && dovecot->retry != NULL)
        return dovecot;
    timer_free(dovecot->retry);
    free(dovecot->path);
    free(dovecot);
    return NULL;
}

static void close_dovecot(void *opened)
{
    struct dovecot *dovecot = opened;
    assert(dovecot->first == NULL);
    dovecot_link_free(dovecot->link);
    timer_free(dovecot->retry);
    free(dovecot->path);
    free(dovecot);
}

static void *ask(void *opened, const struct claim *claim, login_then *then,
                 void *owner)
{
    struct dovecot *dovecot = opened;
    bool is_full = dovecot->count >= DOVECOT_QUESTIONS_MAX;
    struct question *question = question_new(dovecot, claim, on_timer);
    if (question == NULL)
        return NULL;
    question->then = then;
    question->owner = owner;
    if (is_full)
        question_decide(question, LOGIN_UNAVAILABLE,
                        "too many logins wait for its answer");
    else if (dovecot->link == NULL && !dovecot->is_retrying)
        connect_anew(dovecot);
    else if (dovecot->link != NULL && dovecot_link_is_open(dovecot->link))
        question_put(question);
    return question;
}

static void cancel(void *asked)
{
    question_cancel(asked);
}

const struct back_end_kind back_end_dovecot = {
    .name = "dovecot",
    .claims = {[CLAIM_PASSWORD] = true, [CLAIM_TOKEN] = true},
    .open = open_dovecot,
    .close = close_dovecot,
    .ask = ask,
    .cancel = cancel,
};
