/* Watches over what is under way, and over a link that is idle. */
#include "proxy/budgets/redis_link_internal.h"

void redis_link_watch_by(struct redis_link *link, uint64_t at_ms)
{
    uint64_t now_ms = loop_now_ms(link->loop);
    if (link->watch_at_ms != 0 && link->watch_at_ms <= at_ms)
        return;
    link->watch_at_ms = at_ms;
    timer_start(link->watch, at_ms > now_ms ? at_ms - now_ms : 1);
}

static void on_pinged(struct redis_command *command,
                      const struct redisReply *reply)
{
    struct redis_link *link =
        (struct redis_link *)((char *)command -
                              offsetof(struct redis_link, ping));
    (void)reply;
    link->is_pinging = false;
}

static void ping(struct redis_link *link)
{
    struct str word = STR("PING");
    link->ping = (struct redis_command){.replied = on_pinged};
    link->is_pinging = true;
    if (redis_link_send(link, &link->ping, &word, 1) != 0)
        link->is_pinging = false;
}

static uint64_t age_ms(const struct redis_link *link,
                       const struct redis_command *command)
{
    return (loop_clock_us(link->loop) - command->sent_us) / 1000;
}

static void tell_late(struct redis_link *link)
{
    unsigned number = link->number;
    while (link->number == number && link->waiting != NULL &&
           age_ms(link, link->waiting) >= link->settings->store_timeout_ms) {
        struct redis_command *command = link->waiting;
        link->waiting = command->next;
        link->is_silent = true;
        command->is_late = true;
        if (command->late != NULL)
            command->late(command);
    }
}

static bool has_late(const struct redis_link *link)
{
    return link->waiting != NULL &&
           age_ms(link, link->waiting) >= link->settings->store_timeout_ms;
}

void redis_link_on_watch(void *owner)
{
    struct redis_link *link = owner;
    uint64_t now_ms = loop_now_ms(link->loop);
    unsigned number = link->number;
    link->watch_at_ms = 0;
    if (link->first == NULL && link->state == LINK_UP && !link->is_pinging) {
        ping(link);
        return;
    }
    /* Perhaps it was this loop that was late: what has come in is read
     * first. */
    if (has_late(link) && !link->is_looked_at) {
        link->is_looked_at = true;
        redis_link_watch_by(link, now_ms + 1);
        return;
    }
    link->is_looked_at = false;
    tell_late(link);
    if (link->number != number)
        return;
    if (link->first != NULL && age_ms(link, link->first) >= REDIS_SILENCE_MS) {
        redis_link_drop_mute(link, "it does not answer");
        return;
    }
    if (link->waiting != NULL)
        redis_link_watch_by(link, now_ms + 1 +
                                      link->settings->store_timeout_ms -
                                      age_ms(link, link->waiting));
    else if (link->first != NULL)
        redis_link_watch_by(link, now_ms + 1 + REDIS_SILENCE_MS -
                                      age_ms(link, link->first));
    else
        redis_link_watch_by(link, now_ms + REDIS_PING_MS);
}
