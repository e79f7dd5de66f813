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
    uint64_t said; /* what is to be told: its turn; 0: none yet */
    uint64_t round; /* of renewals: the last in which it had its turn */
    enum remote_kind kind;
    bool is_charge, has_member;
    bool is_commit, is_again;
    bool is_to_settle; /* once it has been renewed */
    bool is_telling;   /* counted in `telling` */
    char life[16];     /* of the memory in which it is held */
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
    struct timer *renewal, *life_watch;
    uint64_t hold_ms, now_ms; /* now_ms 0: the store's own clock */
    bool is_ready;            /* connected, and the scripts are there */
    uint64_t round;           /* of renewals */
    bool is_round_over;
    size_t loading;
    struct remote_loader loaders[SCRIPTS_OF_SESSIONS];
    char digests[SCRIPTS_OF_SESSIONS][41];
    struct remote_loader life_maker, life_reader;
    char life[16]; /* of the store's memory: another when it was emptied */
    struct remote_question *newest; /* of all */
    size_t asked;                   /* questions that are under way */
    size_t telling;                 /* what is told, and not yet answered */
    struct remote_queue unloaded, untold;
    bool is_loss_told;
    uint64_t next_token, last_said;
    void (*on_finished)(void *owner); /* NULL: nobody waits for the end */
    void *finisher;
    struct remote_question **buckets; /* holds by token */
    size_t bucket_count, held_count;
};

/* Holds wait so long to be renewed once more. */
#define REMOTE_RENEW_AGAIN_MS 1000
/* How often it is asked whether it was emptied. */
#define REMOTE_LIFE_MS 5000
/* Of what is told so much is under way at once, so that questions come
 * between. */
#define REMOTE_TELLING_MAX 500

/* Questions and queues, in remote_question.c. NULL when out of memory. */
struct remote_question *remote_question_make(struct remote_ledger *remote,
                                             enum remote_what what,
                                             struct str key, struct str value);
void remote_question_drop(struct remote_question *question);
/* It is no more under way; does nothing where it was not. */
void remote_stop_telling(struct remote_question *question);
struct str remote_key_of(const struct remote_question *question);
struct str remote_value_of(const struct remote_question *question);
/* Somebody waits for the answer, or did. */
bool remote_is_question(const struct remote_question *question);
void remote_queue_put(struct remote_queue *queue,
                      struct remote_question *question);
struct remote_question *remote_queue_take(struct remote_queue *queue);
/* Tells whoever waits for the end, if this is it. */
void remote_check_finished(struct remote_ledger *remote);

/* In remote_send.c. 0, or -1: not now. */
int remote_question_send(struct remote_question *question);
/* In the order in which it was said; kept while it can't be sent. */
void remote_tell(struct remote_question *question);
void remote_keep_untold(struct remote_question *question);
/* Sends of what was kept. */
void remote_pump(struct remote_ledger *remote);
/* The hold ends, by the words of its owner. */
void remote_settle(struct remote_question *hold, bool is_commit,
                   uint64_t charge);

/* In remote_answer.c: callbacks of a question's command. */
void remote_on_replied(struct redis_command *command,
                       const struct redisReply *reply);
void remote_on_late(struct redis_command *command);
/* No reply will come. */
void remote_on_lost(struct remote_question *question);
/* Nor an answer: it may have been granted; a charge stays. */
void remote_give_up(struct remote_question *question, const char *fault);

/* In remote_ready.c. */
void remote_load_scripts(struct remote_ledger *remote);
void remote_on_renewal(void *owner);
void remote_on_life_watch(void *owner);
extern const struct redis_link_events remote_link_events;

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
