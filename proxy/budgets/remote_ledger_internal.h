/* Inside a remote ledger; for its own files, and for tests that pass the time
 * in. */
#ifndef PROXY_BUDGETS_REMOTE_LEDGER_INTERNAL_H
#define PROXY_BUDGETS_REMOTE_LEDGER_INTERNAL_H

#include "proxy/budgets/redis_link.h"
#include "proxy/budgets/remote_ledger.h"
#include "proxy/budgets/remote_script.h"
#include "proxy/net/timer.h"

enum remote_what {
    REMOTE_HOLD,   /* does it fit? */
    REMOTE_LISTED, /* is it in the list, or a known net? */
    REMOTE_SETTLE, /* a hold ends */
    REMOTE_CHANGE  /* of a list, or of the known nets */
};

enum remote_state {
    REMOTE_SENT,     /* under way */
    REMOTE_UNLOADED, /* waits until the scripts are there again */
    REMOTE_HELD,     /* a hold that was granted; nothing is under way */
    REMOTE_RENEWING, /* the same, being renewed */
    REMOTE_UNTOLD    /* waits until there is room, or a connection */
};

/* A question, then the hold that it became, then the settling of it. */
struct remote_question {
    struct redis_command command;
    struct remote_ledger *remote;
    struct remote_question *newer, *older; /* of all */
    struct remote_question *next;          /* in a queue, or in a bucket */
    enum remote_what what;
    enum remote_state state;
    remote_answered *done; /* NULL: nobody waits, or not any more */
    void *owner;
    uint64_t token;
    uint64_t life; /* number of the store's life when it was sent */
    enum remote_kind kind;
    bool is_charge, has_member;
    bool is_commit, is_again;
    bool is_to_settle; /* once it has been renewed */
    const char *word;  /* of list.lua */
    uint64_t cost, charge, max;
    struct rate rate;
    uint64_t for_ms, list_max;
    char member[REMOTE_MEMBER];
    size_t key_length, value_length;
    char texts[]; /* the key, then the value */
};

struct remote_queue {
    struct remote_question *first, *last;
    size_t count;
};

/* One step of getting ready. */
struct remote_loader {
    struct redis_command command;
    struct remote_ledger *remote;
    size_t script;
    bool is_under_way;
    bool is_awaited; /* counted in `loading` */
};

struct remote_ledger {
    struct loop *loop;
    const struct limits_settings *settings; /* borrowed */
    struct server_log *log;                 /* borrowed */
    struct store_meter *meter;              /* borrowed */
    struct redis_link *link;
    struct timer *renewal;
    uint64_t hold_ms, now_ms; /* now_ms 0: the store's own clock */
    bool is_ready;            /* connected, and the scripts are there */
    bool is_renewing;
    size_t loading;
    struct remote_loader loaders[SCRIPTS_OF_SESSIONS];
    char digests[SCRIPTS_OF_SESSIONS][41];
    struct remote_loader life_maker, life_reader;
    char life[17]; /* of the store's memory: another when it was emptied */
    uint64_t life_number;
    struct remote_question *newest; /* of all */
    size_t asked;                   /* questions that are under way */
    struct remote_queue unloaded, untold;
    bool is_loss_told;
    uint64_t next_token;
    void (*on_finished)(void *owner); /* NULL: nobody waits for the end */
    void *finisher;
    struct remote_question **buckets; /* holds by token */
    size_t bucket_count, held_count;
};

/* Holds by token, in remote_holds.c. */
int remote_holds_room(struct remote_ledger *remote);
void remote_holds_put(struct remote_ledger *remote,
                      struct remote_question *hold);
struct remote_question *remote_holds_take(struct remote_ledger *remote,
                                          uint64_t token);

/* For tests: times are passed in, and holds live so long. */
void remote_ledger_set_clock(struct remote_ledger *remote, uint64_t now_ms,
                             uint64_t hold_ms);

#endif
