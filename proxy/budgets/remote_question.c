/* A question, and the queues in which it may wait. */
#include "proxy/budgets/remote_ledger_internal.h"

#include <stdlib.h>
#include <string.h>

static void unlink_question(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    if (question->newer != NULL)
        question->newer->older = question->older;
    else
        remote->newest = question->older;
    if (question->older != NULL)
        question->older->newer = question->newer;
}

void remote_check_finished(struct remote_ledger *remote)
{
    void (*on_finished)(void *owner) = remote->on_finished;
    if (on_finished == NULL || (remote->newest != NULL && remote->is_ready))
        return;
    remote->on_finished = NULL;
    on_finished(remote->finisher);
}

void remote_stop_telling(struct remote_question *question)
{
    if (question->is_telling)
        question->remote->telling--;
    question->is_telling = false;
}

void remote_question_drop(struct remote_question *question)
{
    remote_stop_telling(question);
    unlink_question(question);
    remote_check_finished(question->remote);
    explicit_bzero(question->texts,
                   question->key_length + question->value_length);
    free(question);
}

struct remote_question *remote_question_make(struct remote_ledger *remote,
                                             enum remote_what what,
                                             struct str key, struct str value)
{
    struct remote_question *question =
        calloc(1, sizeof *question + key.n + value.n);
    if (question == NULL)
        return NULL;
    question->remote = remote;
    question->what = what;
    question->key_length = key.n;
    question->value_length = value.n;
    memcpy(question->texts, key.p, key.n);
    if (value.n > 0)
        memcpy(question->texts + key.n, value.p, value.n);
    question->older = remote->newest;
    if (remote->newest != NULL)
        remote->newest->newer = question;
    remote->newest = question;
    return question;
}

struct str remote_key_of(const struct remote_question *question)
{
    return str_span(question->texts, question->key_length);
}

struct str remote_value_of(const struct remote_question *question)
{
    return str_span(question->texts + question->key_length,
                    question->value_length);
}

bool remote_is_question(const struct remote_question *question)
{
    return question->what == REMOTE_HOLD || question->what == REMOTE_LISTED;
}

void remote_queue_put(struct remote_queue *queue,
                      struct remote_question *question)
{
    question->next = NULL;
    if (queue->last == NULL)
        queue->first = question;
    else
        queue->last->next = question;
    queue->last = question;
    queue->count++;
}

struct remote_question *remote_queue_take(struct remote_queue *queue)
{
    struct remote_question *question = queue->first;
    if (question == NULL)
        return NULL;
    queue->first = question->next;
    if (queue->first == NULL)
        queue->last = NULL;
    question->next = NULL;
    queue->count--;
    return question;
}
