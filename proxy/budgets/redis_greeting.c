/* The first words of a connection: a password, a database. */
#include "proxy/budgets/redis_link_internal.h"

#include <stdio.h>

static void go_up(struct redis_link *link)
{
    link->state = LINK_UP;
    redis_link_watch_by(link, loop_now_ms(link->loop) + REDIS_PING_MS);
    link->events->on_up(link->owner);
}

/* Of the greeting: an error of any kind is the end of it. */
static bool is_fine(struct redis_link *link, const redisReply *reply)
{
    char words[REDIS_WORDS_MAX];
    if (reply == NULL)
        return false;
    if (reply->type == REDIS_REPLY_STATUS)
        return true;
    snprintf(words, sizeof words, "it refuses to begin: %.*s",
             reply->str == NULL ? 0 : (int)reply->len,
             reply->str == NULL ? "" : reply->str);
    redis_link_drop(link, words);
    return false;
}

static void on_selected(struct redis_command *command,
                        const struct redisReply *reply)
{
    struct redis_link *link =
        (struct redis_link *)((char *)command -
                              offsetof(struct redis_link, select));
    if (is_fine(link, reply))
        go_up(link);
}

static void select_database(struct redis_link *link)
{
    char number[24];
    int n = snprintf(number, sizeof number, "%llu",
                     (unsigned long long)link->settings->store_database);
    struct str words[] = {STR("SELECT"), str_span(number, (size_t)n)};
    link->select = (struct redis_command){.replied = on_selected};
    if (redis_link_send_now(link, &link->select, words, 2) != 0)
        redis_link_drop(link, "out of memory");
}

static void on_authenticated(struct redis_command *command,
                             const struct redisReply *reply)
{
    struct redis_link *link =
        (struct redis_link *)((char *)command -
                              offsetof(struct redis_link, auth));
    if (is_fine(link, reply))
        select_database(link);
}

static void authenticate(struct redis_link *link)
{
    const struct limits_settings *settings = link->settings;
    struct str words[3] = {STR("AUTH")};
    size_t count = 1;
    if (settings->store_user.n > 0)
        words[count++] = settings->store_user;
    words[count++] = str_span(link->password, link->password_length);
    link->auth = (struct redis_command){.replied = on_authenticated};
    if (redis_link_send_now(link, &link->auth, words, count) != 0)
        redis_link_drop(link, "out of memory");
}

void redis_link_on_ready(void *owner)
{
    struct redis_link *link = owner;
    link->state = LINK_GREETING;
    store_meter_add(link->meter, STORE_CONNECTS, 1);
    if (link->password_length > 0)
        authenticate(link);
    else
        select_database(link);
}
