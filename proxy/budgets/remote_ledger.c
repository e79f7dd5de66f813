/* A question is kept until it is answered; a hold that was granted until it is
 * settled, and that until the store has said so. So whatever breaks, each
 * knows what it still has to say. */
#include "proxy/budgets/remote_ledger_internal.h"

#include "proxy/budgets/redis_words.h"
#include "proxy/log/server_log.h"
#include "rules/limit.h"
#include "rules/list.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FAULT_MAX 200
/* What was kept goes out a few at a time, so that questions come between. */
#define PUMPED_MAX 500
#define RENEW_AGAIN_MS 1000

static void tell(struct remote_question *question);
static void load_scripts(struct remote_ledger *remote);

/* --- questions --- */

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

static void check_finished(struct remote_ledger *remote)
{
    void (*on_finished)(void *owner) = remote->on_finished;
    if (on_finished == NULL ||
        (remote->newest != NULL && remote_ledger_is_up(remote)))
        return;
    remote->on_finished = NULL;
    on_finished(remote->finisher);
}

static void drop(struct remote_question *question)
{
    unlink_question(question);
    check_finished(question->remote);
    explicit_bzero(question->texts,
                   question->key_length + question->value_length);
    free(question);
}

static struct remote_question *make(struct remote_ledger *remote,
                                    enum remote_what what, struct str key,
                                    struct str value)
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

static struct str key_of(const struct remote_question *question)
{
    return str_span(question->texts, question->key_length);
}

static struct str value_of(const struct remote_question *question)
{
    return str_span(question->texts + question->key_length,
                    question->value_length);
}

static bool is_question(const struct remote_question *question)
{
    return question->what == REMOTE_HOLD || question->what == REMOTE_LISTED;
}

static void enqueue(struct remote_queue *queue,
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

static struct remote_question *dequeue(struct remote_queue *queue)
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

/* --- what is sent --- */

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
    remote_args_begin(args, key_of(question), question->remote->now_ms);
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
    bool is_again =
        question->is_again && question->life == question->remote->life_number;
    begin_budget(question, args);
    remote_args_number(args, question->rate.amount);
    remote_args_number(args, question->rate.period_ms);
    remote_args_number(args, question->cost);
    remote_args_number(args, question->charge);
    remote_args_text(args, question->is_commit ? STR("commit") : STR("back"));
    remote_args_text(args, id_of(question, id));
    remote_args_text(args, member_of(question));
    remote_args_text(args, is_again ? STR("again") : STR(""));
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
    remote_args_begin(args, key_of(question), question->remote->now_ms);
    remote_args_text(args, str_from(question->word));
    remote_args_text(args, value_of(question));
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
static int send_question(struct remote_question *question)
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
    drop(question);
}

static void keep_untold(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    question->state = REMOTE_UNTOLD;
    if (remote->untold.count < REMOTE_UNTOLD_MAX)
        enqueue(&remote->untold, question);
    else
        lose(question);
}

static int send_told(struct remote_question *question)
{
    question->state = REMOTE_SENT;
    if (send_question(question) != 0)
        return -1;
    question->life = question->remote->life_number;
    store_meter_add(question->remote->meter, STORE_TOLD, 1);
    return 0;
}

/* In the order in which it was said. */
static void tell(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    if (!remote->is_ready || remote->untold.count > 0 ||
        send_told(question) != 0)
        keep_untold(question);
}

static void pump(struct remote_ledger *remote)
{
    for (size_t i = 0; i < PUMPED_MAX && remote->is_ready; i++) {
        struct remote_question *question = dequeue(&remote->untold);
        if (question == NULL) {
            remote->is_loss_told = false;
            return;
        }
        if (send_told(question) == 0)
            continue;
        /* To where it was. */
        question->state = REMOTE_UNTOLD;
        question->next = remote->untold.first;
        remote->untold.first = question;
        if (remote->untold.last == NULL)
            remote->untold.last = question;
        remote->untold.count++;
        return;
    }
}

/* The hold ends, by the words of its owner. */
static void settle(struct remote_question *hold, bool is_commit,
                   uint64_t charge)
{
    bool is_busy = hold->state == REMOTE_RENEWING;
    hold->what = REMOTE_SETTLE;
    hold->is_commit = is_commit;
    hold->charge = charge < REMOTE_UNITS_MAX ? charge : REMOTE_UNITS_MAX;
    hold->is_to_settle = is_busy;
    if (!is_busy)
        tell(hold);
}

/* --- answers --- */

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
static void give_up(struct remote_question *question, const char *fault)
{
    end_question(question, STORE_BROKEN, fault);
    if (question->what != REMOTE_HOLD || question->is_charge) {
        drop(question);
        return;
    }
    question->is_again = true;
    settle(question, false, 0);
}

static void on_lost(struct remote_question *question)
{
    if (question->state == REMOTE_RENEWING) {
        question->state = REMOTE_HELD;
        if (question->is_to_settle)
            keep_untold(question);
        return;
    }
    if (is_question(question)) {
        give_up(question, redis_link_fault(question->remote->link));
        return;
    }
    question->is_again = true;
    keep_untold(question);
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
            tell(question);
    } else if (is_question(question)) {
        give_up(question, fault);
    } else {
        store_meter_add(remote->meter, STORE_LOST, 1);
        drop(question);
    }
}

/* 0, or -1: no such array. */
static int read_told(const redisReply *reply, struct remote_told *told)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements > REMOTE_TOLD_MAX)
        return -1;
    told->count = reply->elements;
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *element = reply->element[i];
        if (element == NULL || element->type != REDIS_REPLY_INTEGER ||
            element->integer < 0)
            return -1;
        told->numbers[i] = (uint64_t)element->integer;
    }
    return 0;
}

static void on_hold(struct remote_question *question, const redisReply *reply)
{
    struct remote_ledger *remote = question->remote;
    struct remote_told told;
    struct answer said;
    if (read_told(reply, &told) != 0 ||
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
        drop(question);
        return;
    }
    if (question->done == NULL) {
        settle(question, false, 0);
        return;
    }
    question->state = REMOTE_HELD;
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
    drop(question);
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
    drop(question);
}

static void on_renewed(struct remote_question *question,
                       const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_INTEGER) {
        on_error(question, reply);
        return;
    }
    question->state = REMOTE_HELD;
    if (question->is_to_settle)
        tell(question);
}

static void on_unloaded(struct remote_question *question)
{
    struct remote_ledger *remote = question->remote;
    /* It is renewed in its turn. */
    if (question->state == REMOTE_RENEWING) {
        question->state = REMOTE_HELD;
        if (question->is_to_settle)
            keep_untold(question);
        timer_start(remote->renewal, RENEW_AGAIN_MS);
    } else {
        question->state = REMOTE_UNLOADED;
        enqueue(&remote->unloaded, question);
    }
    load_scripts(remote);
}

static void on_replied(struct redis_command *command,
                       const struct redisReply *reply)
{
    struct remote_question *question = (struct remote_question *)command;
    struct remote_ledger *remote = question->remote;
    const char *words;
    if (reply == NULL) {
        on_lost(question);
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
        pump(remote);
}

static void on_late(struct redis_command *command)
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

/* --- getting ready --- */

static void renew_all(struct remote_ledger *remote)
{
    bool is_all = true;
    for (struct remote_question *question = remote->newest; question != NULL;
         question = question->older) {
        if (question->state != REMOTE_HELD || !remote->is_ready)
            continue;
        question->state = REMOTE_RENEWING;
        if (send_question(question) == 0) {
            store_meter_add(remote->meter, STORE_TOLD, 1);
            continue;
        }
        question->state = REMOTE_HELD;
        is_all = false;
        break;
    }
    timer_start(remote->renewal, is_all ? remote->hold_ms / 3 : RENEW_AGAIN_MS);
}

static void send_unloaded(struct remote_ledger *remote)
{
    struct remote_queue queue = remote->unloaded;
    struct remote_question *question;
    remote->unloaded = (struct remote_queue){0};
    while ((question = dequeue(&queue)) != NULL) {
        question->state = REMOTE_SENT;
        if (send_question(question) == 0)
            continue;
        if (is_question(question))
            give_up(question, "too much is under way");
        else
            keep_untold(question);
    }
}

static void on_loaded(struct remote_ledger *remote)
{
    if (remote->loading > 0)
        return;
    if (remote->is_ready) {
        send_unloaded(remote);
        return;
    }
    remote->is_ready = true;
    redis_link_is_useful(remote->link);
    renew_all(remote);
    pump(remote);
}

static struct remote_loader *loader_of(struct redis_command *command)
{
    return (struct remote_loader *)command;
}

static void give_up_loading(struct remote_ledger *remote)
{
    redis_link_drop(remote->link, "it does not take the scripts");
}

static void on_script(struct redis_command *command,
                      const struct redisReply *reply)
{
    struct remote_loader *loader = loader_of(command);
    struct remote_ledger *remote = loader->remote;
    loader->is_under_way = false;
    remote->loading--;
    if (reply == NULL)
        return;
    if (reply->type != REDIS_REPLY_STRING || reply->len != 40) {
        give_up_loading(remote);
        return;
    }
    memcpy(remote->digests[loader->script], reply->str, 40);
    on_loaded(remote);
}

static int load_one(struct remote_loader *loader)
{
    const struct remote_script *script = &remote_scripts[loader->script];
    struct str words[] = {STR("SCRIPT"), STR("LOAD"),
                          str_span(script->text, script->length)};
    loader->command = (struct redis_command){.replied = on_script};
    if (redis_link_send(loader->remote->link, &loader->command, words, 3) != 0)
        return -1;
    loader->is_under_way = true;
    loader->remote->loading++;
    store_meter_add(loader->remote->meter, STORE_LOADS, 1);
    return 0;
}

static void load_scripts(struct remote_ledger *remote)
{
    if (remote->loading > 0)
        return;
    for (size_t i = 0; i < SCRIPTS_OF_SESSIONS; i++) {
        remote->loaders[i].remote = remote;
        remote->loaders[i].script = i;
        if (load_one(&remote->loaders[i]) != 0) {
            give_up_loading(remote);
            return;
        }
    }
}

/* A memory that was emptied has forgotten whom it held for. */
static void on_life(struct redis_command *command,
                    const struct redisReply *reply)
{
    struct remote_ledger *remote = loader_of(command)->remote;
    remote->life_reader.is_under_way = false;
    if (remote->life_reader.is_awaited)
        remote->loading--;
    if (reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_STRING && reply->len == 16 &&
        memcmp(remote->life, reply->str, 16) != 0) {
        memcpy(remote->life, reply->str, 16);
        remote->life_number++;
        if (remote->is_ready)
            renew_all(remote);
    }
    if (remote->life_reader.is_awaited)
        on_loaded(remote);
}

static void on_life_made(struct redis_command *command,
                         const struct redisReply *reply)
{
    (void)reply;
    loader_of(command)->is_under_way = false;
}

static void ask_life(struct remote_ledger *remote)
{
    uint64_t number = 0;
    char text[17];
    struct remote_loader *maker = &remote->life_maker;
    struct remote_loader *reader = &remote->life_reader;
    if (maker->is_under_way || reader->is_under_way)
        return;
    (void)!getrandom(&number, sizeof number, 0);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)number);
    struct str make[] = {STR("SET"), STR("postern:life"), str_span(text, 16),
                         STR("NX")};
    struct str get[] = {STR("GET"), STR("postern:life")};
    maker->remote = reader->remote = remote;
    maker->command = (struct redis_command){.replied = on_life_made};
    reader->command = (struct redis_command){.replied = on_life};
    if (redis_link_send(remote->link, &maker->command, make, 4) != 0)
        return;
    maker->is_under_way = true;
    if (redis_link_send(remote->link, &reader->command, get, 2) != 0)
        return;
    reader->is_under_way = true;
    reader->is_awaited = !remote->is_ready;
    if (reader->is_awaited)
        remote->loading++;
}

static void on_up(void *owner)
{
    struct remote_ledger *remote = owner;
    remote->loading = 0;
    load_scripts(remote);
    if (remote->loading > 0)
        ask_life(remote);
}

static void on_down(void *owner)
{
    struct remote_ledger *remote = owner;
    struct remote_question *question;
    remote->is_ready = false;
    while ((question = dequeue(&remote->unloaded)) != NULL)
        on_lost(question);
    check_finished(remote);
}

static const struct redis_link_events LINK_EVENTS = {
    .on_up = on_up,
    .on_down = on_down,
};

static void on_renewal(void *owner)
{
    struct remote_ledger *remote = owner;
    if (remote->is_ready)
        ask_life(remote);
    renew_all(remote);
    pump(remote);
}

/* --- life --- */

struct remote_ledger *remote_ledger_new(struct loop *loop,
                                        const struct limits_settings *settings,
                                        struct server_log *log,
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
    remote->renewal = timer_new(loop, on_renewal, remote);
    remote->link = redis_link_new(loop, settings, log, remote->meter,
                                  &LINK_EVENTS, remote);
    if (remote->renewal == NULL || remote->link == NULL) {
        remote_ledger_free(remote);
        return NULL;
    }
    timer_start(remote->renewal, remote->hold_ms / 3);
    return remote;
}

void remote_ledger_finish(struct remote_ledger *remote,
                          void (*on_finished)(void *owner), void *owner)
{
    remote->on_finished = on_finished;
    remote->finisher = owner;
    check_finished(remote);
}

void remote_ledger_free(struct remote_ledger *remote)
{
    if (remote == NULL)
        return;
    remote->on_finished = NULL;
    redis_link_free(remote->link);
    timer_free(remote->renewal);
    while (remote->newest != NULL)
        drop(remote->newest);
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
    question->command.replied = on_replied;
    question->command.late = on_late;
    question->state = REMOTE_SENT;
    question->done = done;
    question->owner = owner;
    if (send_question(question) != 0) {
        store_meter_add(question->remote->meter, STORE_FULL, 1);
        drop(question);
        return NULL;
    }
    question->life = question->remote->life_number;
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
    struct remote_question *question =
        make(remote, REMOTE_HOLD, str_span(key, n), (struct str){0});
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
        make(remote, what, str_span(key, n), value);
    if (question == NULL)
        return NULL;
    question->command.replied = on_replied;
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
        make(remote, what, str_span(key, n), net);
    if (question == NULL)
        return NULL;
    question->command.replied = on_replied;
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
        settle(kept, is_commit, kept->has_member ? 1 : hold->charge);
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
        tell(change);
    else
        store_meter_add(remote->meter, STORE_LOST, 1);
}

void remote_ledger_apply(struct remote_ledger *remote,
                         const struct list_change *change)
{
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
