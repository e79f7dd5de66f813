/* Getting ready: the scripts, whose memory it is, and that holds stay. */
#include "proxy/budgets/remote_ledger_internal.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Holds that are renewed at once. */
#define RENEWED_MAX 2000

/* Whether it was sent. */
static bool renew(struct remote_question *hold)
{
    hold->state = REMOTE_RENEWING;
    if (remote_question_send(hold) != 0) {
        hold->state = REMOTE_HELD;
        return false;
    }
    hold->round = hold->remote->round;
    store_meter_add(hold->remote->meter, STORE_TOLD, 1);
    return true;
}

/* A few of those that this round has not renewed, so that questions come
 * between. */
static void renew_some(struct remote_ledger *remote)
{
    size_t count = 0;
    bool is_all = true;
    for (struct remote_question *question = remote->newest;
         question != NULL && is_all && remote->is_ready;
         question = question->older) {
        if (question->state != REMOTE_HELD || question->round == remote->round)
            continue;
        is_all = count++ < RENEWED_MAX && renew(question);
    }
    timer_start(remote->renewal,
                is_all ? remote->hold_ms / 3 : REMOTE_RENEW_AGAIN_MS);
    remote->is_round_over = is_all;
}

static void renew_all(struct remote_ledger *remote)
{
    remote->round++;
    renew_some(remote);
}

static void send_unloaded(struct remote_ledger *remote)
{
    struct remote_queue queue = remote->unloaded;
    struct remote_question *question;
    remote->unloaded = (struct remote_queue){0};
    while ((question = remote_queue_take(&queue)) != NULL) {
        question->state = REMOTE_SENT;
        if (remote_question_send(question) == 0)
            continue;
        if (remote_is_question(question))
            remote_give_up(question, "too much is under way");
        else
            remote_keep_untold(question);
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
    remote_pump(remote);
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

void remote_load_scripts(struct remote_ledger *remote)
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
    remote_load_scripts(remote);
    if (remote->loading > 0)
        ask_life(remote);
}

static void on_heard(void *owner)
{
    remote_pump(owner);
}

static void on_down(void *owner)
{
    struct remote_ledger *remote = owner;
    struct remote_question *question;
    remote->is_ready = false;
    while ((question = remote_queue_take(&remote->unloaded)) != NULL)
        remote_on_lost(question);
    remote_check_finished(remote);
}

const struct redis_link_events remote_link_events = {
    .on_up = on_up,
    .on_heard = on_heard,
    .on_down = on_down,
};

void remote_on_life_watch(void *owner)
{
    struct remote_ledger *remote = owner;
    if (remote_ledger_is_up(remote))
        ask_life(remote);
    timer_start(remote->life_watch, REMOTE_LIFE_MS);
}

void remote_on_renewal(void *owner)
{
    struct remote_ledger *remote = owner;
    if (remote->is_round_over)
        renew_all(remote);
    else
        renew_some(remote);
    remote_pump(remote);
}
