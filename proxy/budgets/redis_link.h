/* One connection of one loop to a Redis, which is kept: made, made anew with a
 * growing pause when it breaks, and watched. Commands of a turn leave together
 * at its end; replies come in the order of the commands. Bounded: commands
 * under way, octets of a reply, time to connect and to answer.
 *
 * The protocol is hiredis's; octets go through proxy/net/stream, because
 * hiredis 0.14 looks names up while the loop waits and because its adapter for
 * libuv drops a connection that failed without telling anyone. */
#ifndef PROXY_BUDGETS_REDIS_LINK_H
#define PROXY_BUDGETS_REDIS_LINK_H

#include "config/settings.h"
#include "proxy/budgets/store_meter.h"
#include "proxy/budgets/store_word.h"
#include "proxy/net/loop.h"

#define REDIS_COMMANDS_MAX 12000
#define REDIS_REPLY_OCTETS_MAX ((size_t)256 * 1024)
#define REDIS_ELEMENTS_MAX 1000 /* of an array in a reply */
#define REDIS_CONNECT_MS ((uint64_t)5000)
#define REDIS_SILENCE_MS ((uint64_t)5000) /* then it is given up */
#define REDIS_PAUSE_MIN_MS ((uint64_t)100)
#define REDIS_PAUSE_MAX_MS ((uint64_t)10000)
#define REDIS_PING_MS ((uint64_t)5000)

struct redis_link;
struct redisReply;

/* A command under way; embedded in its owner, who keeps it until `replied`. */
struct redis_command {
    struct redis_command *next;
    uint64_t sent_us;
    bool is_late;
    /* No reply within the time for an answer: may be NULL. At most once, and
     * before `replied`. */
    void (*late)(struct redis_command *command);
    /* Once. NULL: there is none, the connection is gone. Error replies come
     * here too. The reply is valid within the call. */
    void (*replied)(struct redis_command *command,
                    const struct redisReply *reply);
};

struct redis_link_events {
    /* Connected, authenticated, the database chosen: commands may be sent. */
    void (*on_up)(void *owner);
    /* It was silent, and has answered. May be NULL. */
    void (*on_heard)(void *owner);
    /* No more; each command is told after it. */
    void (*on_down)(void *owner);
};

/* Connects from the loop. All is borrowed; `word` may be NULL. NULL when out of
 * memory. */
struct redis_link *
redis_link_new(struct loop *loop, const struct limits_settings *settings,
               struct store_word *word, struct store_meter *meter,
               const struct redis_link_events *events, void *owner);
/* Nothing is told. NULL is fine. */
void redis_link_free(struct redis_link *link);

/* From now on this one; a link that is away tries it at once. */
void redis_link_set_password(struct redis_link *link, struct str password);

bool redis_link_is_up(const struct redis_link *link);
/* It owes an answer for longer than answers may take. */
bool redis_link_is_silent(const struct redis_link *link);
/* Why it is not up; never NULL. */
const char *redis_link_fault(const struct redis_link *link);

/* 0, or -1: not up, too much under way, or out of memory. */
int redis_link_send(struct redis_link *link, struct redis_command *command,
                    const struct str *words, size_t count);

/* The owner's first commands went well: if it was told that it is away, it is
 * told that it is back, and if it stays so for a while, the next pause is a
 * short one again. */
void redis_link_is_useful(struct redis_link *link);

/* It can't be used as it is: begins anew after a pause. `why` in words. Each
 * command is told. */
void redis_link_drop(struct redis_link *link, const char *why);

#endif
