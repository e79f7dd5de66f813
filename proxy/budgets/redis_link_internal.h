/* Inside a link to a Redis; for its own files. */
#ifndef PROXY_BUDGETS_REDIS_LINK_INTERNAL_H
#define PROXY_BUDGETS_REDIS_LINK_INTERNAL_H

#include "proxy/budgets/redis_link.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"

#include <hiredis/hiredis.h>

#define REDIS_WORDS_MAX 200

enum redis_link_state {
    LINK_PAUSED,     /* between two connections */
    LINK_CONNECTING, /* no connection yet */
    LINK_GREETING,   /* a password and a database are on their way */
    LINK_UP          /* commands may be sent */
};

struct redis_link {
    struct loop *loop;
    const struct limits_settings *settings; /* borrowed */
    struct store_word *word;                /* borrowed; NULL: no log */
    struct store_meter *meter;              /* borrowed */
    const struct redis_link_events *events; /* borrowed */
    void *owner;
    char password[STORE_PASSWORD_MAX];
    size_t password_length; /* 0: none */
    enum redis_link_state state;
    struct stream *stream;
    redisReader *reader;
    redisReplyObjectFunctions functions;
    struct timer *pause; /* until the next connection */
    struct timer *watch; /* over what is under way */
    uint64_t watch_at_ms;
    uint64_t pause_ms;
    uint64_t useful_ms; /* since when it is useful */
    unsigned number;    /* of connections so far */
    struct redis_command *first, *last, *waiting;
    size_t count;
    bool is_silent;
    bool is_looked_at; /* the watch has seen something late and looks again */
    bool is_useful;    /* it has answered the owner's commands */
    bool is_told;      /* that it is away */
    char fault[REDIS_WORDS_MAX];
    struct redis_command auth, select, ping;
    bool is_pinging;
};

/* As redis_link_send(), in whatever state it is connected. */
int redis_link_send_now(struct redis_link *link, struct redis_command *command,
                        const struct str *words, size_t count);

/* As redis_link_drop(): it says nothing, or nothing more. */
void redis_link_drop_mute(struct redis_link *link, const char *why);

/* In redis_watch.c: the watch looks at that time at the latest. */
void redis_link_watch_by(struct redis_link *link, uint64_t at_ms);
void redis_link_on_watch(void *owner);

/* In redis_greeting.c: connected. */
void redis_link_on_ready(void *owner);

#endif
