#include "proxy/budgets/remote_orders.h"

#include "proxy/budgets/redis_words.h"
#include "proxy/budgets/remote_ledger.h"
#include "proxy/budgets/remote_script.h"
#include "rules/limit.h"
#include "rules/list.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_MAX 256
#define WORDS_MAX (REMOTE_ARGS_MAX + 2)
/* Values are fetched so many at a time. */
#define LISTED_AT_ONCE 1000

struct remote_orders {
    const struct limits_settings *settings; /* borrowed */
    redisContext *context;                  /* NULL: not connected */
    uint64_t now_ms;
    char fault[FAULT_MAX];
};

struct remote_orders *remote_orders_new(const struct limits_settings *settings)
{
    struct remote_orders *orders = calloc(1, sizeof *orders);
    if (orders != NULL)
        orders->settings = settings;
    return orders;
}

static void disconnect(struct remote_orders *orders)
{
    if (orders->context != NULL)
        redisFree(orders->context);
    orders->context = NULL;
}

void remote_orders_free(struct remote_orders *orders)
{
    if (orders == NULL)
        return;
    disconnect(orders);
    free(orders);
}

void remote_orders_set_clock(struct remote_orders *orders, uint64_t now_ms)
{
    orders->now_ms = now_ms;
}

/* --- one command --- */

/* What stopped the connection. */
static const char *say_broken(struct remote_orders *orders)
{
    const redisContext *context = orders->context;
    /* hiredis reads with a time limit of the socket. */
    bool is_late =
        context != NULL && context->err == REDIS_ERR_IO && errno == EAGAIN;
    if (is_late)
        snprintf(orders->fault, sizeof orders->fault, "no answer within %d s",
                 REMOTE_ORDERS_MS / 1000);
    else
        snprintf(orders->fault, sizeof orders->fault, "%s",
                 context == NULL ? "out of memory" : context->errstr);
    disconnect(orders);
    return orders->fault;
}

static const char *say_error(struct remote_orders *orders,
                             const redisReply *reply)
{
    const char *words;
    struct str said = str_span(reply->str, reply->len);
    (void)redis_error_of(said, &words);
    if (words != NULL)
        snprintf(orders->fault, sizeof orders->fault, "%s", words);
    else
        snprintf(orders->fault, sizeof orders->fault, "it answered: %.*s",
                 (int)said.n, said.p);
    return orders->fault;
}

/* NULL, and the reply is the caller's to free; or why there is none. */
static const char *command(struct remote_orders *orders,
                           const struct str *words, size_t count,
                           redisReply **out)
{
    const char *argv[WORDS_MAX];
    size_t lengths[WORDS_MAX];
    for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
        argv[i] = words[i].p;
        lengths[i] = words[i].n;
    }
    redisReply *reply =
        redisCommandArgv(orders->context, (int)count, argv, lengths);
    *out = NULL;
    if (reply == NULL)
        return say_broken(orders);
    if (reply->type == REDIS_REPLY_ERROR) {
        const char *fault = say_error(orders, reply);
        freeReplyObject(reply);
        return fault;
    }
    *out = reply;
    return NULL;
}

/* The same, of a command whose answer says nothing more. */
static const char *command_done(struct remote_orders *orders,
                                const struct str *words, size_t count)
{
    redisReply *reply;
    const char *fault = command(orders, words, count, &reply);
    freeReplyObject(reply);
    return fault;
}

/* --- connecting --- */

static redisContext *open_context(const struct limits_settings *settings)
{
    const struct timeval limit = {.tv_sec = REMOTE_ORDERS_MS / 1000};
    char host[256];
    if (settings->store_socket != NULL)
        return redisConnectUnixWithTimeout(settings->store_socket, limit);
    snprintf(host, sizeof host, "%.*s", (int)settings->store_address.host.n,
             settings->store_address.host.p);
    return redisConnectWithTimeout(host, settings->store_address.port, limit);
}

static const char *greet(struct remote_orders *orders)
{
    const struct limits_settings *settings = orders->settings;
    struct str auth[3] = {STR("AUTH")};
    char number[24];
    size_t count = 1;
    const char *fault = NULL;
    if (settings->store_user.n > 0)
        auth[count++] = settings->store_user;
    auth[count++] = settings->store_password;
    if (settings->store_password.n > 0)
        fault = command_done(orders, auth, count);
    snprintf(number, sizeof number, "%llu",
             (unsigned long long)settings->store_database);
    struct str select[] = {STR("SELECT"), str_from(number)};
    return fault != NULL ? fault : command_done(orders, select, 2);
}

static const char *connect_orders(struct remote_orders *orders)
{
    const struct timeval limit = {.tv_sec = REMOTE_ORDERS_MS / 1000};
    if (orders->context != NULL)
        return NULL;
    orders->context = open_context(orders->settings);
    if (orders->context == NULL || orders->context->err != 0)
        return say_broken(orders);
    (void)redisSetTimeout(orders->context, limit);
    const char *fault = greet(orders);
    if (fault != NULL)
        disconnect(orders);
    return fault;
}

static const char *run(struct remote_orders *orders, enum remote_script_id id,
                       const struct remote_args *args, redisReply **out)
{
    const struct remote_script *script = &remote_scripts[id];
    struct str words[WORDS_MAX] = {STR("EVAL"),
                                   str_span(script->text, script->length)};
    *out = NULL;
    const char *fault = connect_orders(orders);
    if (fault != NULL)
        return fault;
    memcpy(words + 2, args->items, args->count * sizeof args->items[0]);
    return command(orders, words, args->count + 2, out);
}

static const char *say_strange(struct remote_orders *orders)
{
    snprintf(orders->fault, sizeof orders->fault,
             "its answer is not that of the script");
    return orders->fault;
}

/* --- budgets --- */

static void begin(struct remote_orders *orders,
                  const struct ledger_target *target, struct remote_args *args,
                  char key[REMOTE_KEY_MAX])
{
    size_t n = remote_budget_key(target->rule, target->limit, target->key, key);
    remote_args_begin(args, str_span(key, n), orders->now_ms);
    remote_args_number(args, REMOTE_HOLD_MS);
    remote_args_text(
        args, str_from(remote_kind_word(remote_kind_of(target->limit, true))));
}

const char *remote_orders_look(struct remote_orders *orders,
                               const struct ledger_target *target, bool *exists,
                               struct ledger_budget *out)
{
    struct remote_args args;
    struct remote_told told;
    char key[REMOTE_KEY_MAX];
    redisReply *reply;
    *exists = false;
    *out = (struct ledger_budget){0};
    begin(orders, target, &args, key);
    const char *fault = run(orders, SCRIPT_LOOK, &args, &reply);
    if (fault != NULL)
        return fault;
    int found = remote_read_told(reply, &told) != 0
                    ? -1
                    : remote_read_look(&told, target, out);
    freeReplyObject(reply);
    *exists = found == 1;
    return found < 0 ? say_strange(orders) : NULL;
}

const char *remote_orders_reset(struct remote_orders *orders,
                                const struct ledger_target *target)
{
    struct remote_args args;
    char key[REMOTE_KEY_MAX];
    redisReply *reply;
    begin(orders, target, &args, key);
    const char *fault = run(orders, SCRIPT_RESET, &args, &reply);
    freeReplyObject(reply);
    return fault;
}

const char *remote_orders_boost(struct remote_orders *orders,
                                const struct ledger_target *target,
                                uint32_t percent, uint64_t for_ms)
{
    struct remote_args args;
    char key[REMOTE_KEY_MAX];
    redisReply *reply;
    begin(orders, target, &args, key);
    remote_args_number(&args, percent);
    remote_args_number(&args, for_ms);
    const char *fault = run(orders, SCRIPT_BOOST, &args, &reply);
    freeReplyObject(reply);
    return fault;
}

const char *remote_orders_count(struct remote_orders *orders, uint64_t *keys)
{
    struct str word = STR("DBSIZE");
    redisReply *reply;
    const char *fault = connect_orders(orders);
    if (fault == NULL)
        fault = command(orders, &word, 1, &reply);
    if (fault != NULL)
        return fault;
    *keys = reply->integer < 0 ? 0 : (uint64_t)reply->integer;
    freeReplyObject(reply);
    return NULL;
}

/* --- lists --- */

const char *remote_orders_apply(struct remote_orders *orders,
                                const struct list_change *change,
                                bool *has_room)
{
    struct remote_args args;
    char key[REMOTE_KEY_MAX];
    redisReply *reply;
    size_t n = remote_list_key(change->list->name, key);
    remote_args_begin(&args, str_span(key, n), orders->now_ms);
    remote_args_text(&args, change->is_removal ? STR("remove") : STR("add"));
    remote_args_text(&args, change->value);
    remote_args_number(&args, change->for_ms);
    remote_args_number(&args, REMOTE_LISTED_MAX);
    const char *fault = run(orders, SCRIPT_LIST, &args, &reply);
    if (fault != NULL)
        return fault;
    *has_room = reply->integer >= 0;
    freeReplyObject(reply);
    return NULL;
}

static const char *read_clock(struct remote_orders *orders, uint64_t *now_ms)
{
    struct str word = STR("TIME");
    redisReply *reply;
    *now_ms = orders->now_ms;
    if (*now_ms != 0)
        return NULL;
    const char *fault = command(orders, &word, 1, &reply);
    if (fault != NULL)
        return fault;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        *now_ms = strtoull(reply->element[0]->str, NULL, 10) * 1000 +
                  strtoull(reply->element[1]->str, NULL, 10) / 1000;
    freeReplyObject(reply);
    return NULL;
}

/* Values and when they leave, in turn. */
static size_t tell_values(const redisReply *reply, uint64_t now_ms,
                          remote_orders_on_listed *on_listed, void *owner)
{
    size_t count = reply->type == REDIS_REPLY_ARRAY ? reply->elements / 2 : 0;
    for (size_t i = 0; i < count; i++) {
        const redisReply *value = reply->element[2 * i];
        const redisReply *score = reply->element[2 * i + 1];
        bool is_endless = strcmp(score->str, "inf") == 0;
        uint64_t until_ms = is_endless ? 0 : strtoull(score->str, NULL, 10);
        if (is_endless || until_ms > now_ms)
            on_listed(owner, str_span(value->str, value->len),
                      is_endless ? 0 : until_ms - now_ms);
    }
    return count;
}

const char *remote_orders_each_listed(struct remote_orders *orders,
                                      struct str list,
                                      remote_orders_on_listed *on_listed,
                                      void *owner)
{
    char key[REMOTE_KEY_MAX], first[24], last[24];
    uint64_t now_ms = 0;
    size_t n = remote_list_key(list, key), count = LISTED_AT_ONCE;
    const char *fault = connect_orders(orders);
    if (fault == NULL)
        fault = read_clock(orders, &now_ms);
    for (size_t at = 0;
         fault == NULL && count == LISTED_AT_ONCE && at < 2 * REMOTE_LISTED_MAX;
         at += count) {
        redisReply *reply;
        snprintf(first, sizeof first, "%zu", at);
        snprintf(last, sizeof last, "%zu", at + LISTED_AT_ONCE - 1);
        struct str words[] = {STR("ZRANGE"), str_span(key, n), str_from(first),
                              str_from(last), STR("WITHSCORES")};
        fault = command(orders, words, 5, &reply);
        if (fault != NULL)
            break;
        count = tell_values(reply, now_ms, on_listed, owner);
        freeReplyObject(reply);
    }
    return fault;
}
