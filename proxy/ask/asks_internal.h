/* The inside of the questions to policy servers, for the files of this
 * folder: asks.c (questions and servers), ask_link.c (connections). */
#ifndef PROXY_ASK_ASKS_INTERNAL_H
#define PROXY_ASK_ASKS_INTERNAL_H

#include "proxy/ask/asks.h"
#include "proxy/ask/policy_reply.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"

/* Connections to one server; Postfix keeps as many processes a service. */
#define ASK_LINKS_MAX 100
/* A connection that nobody needs is closed then. */
#define ASK_IDLE_MS 30000

struct ask_server {
    struct ask_server *next;
    struct asks *asks;
    struct arena arena; /* of `settings` */
    const struct policy_server_settings *settings;
    bool is_retired;        /* not in the newest settings any more */
    struct ask_link *links; /* all of them */
    size_t link_count;
    struct ask *waiting, **waiting_end; /* for a connection, in order */
    bool is_failing;                    /* and the log says so already */
};

struct asks {
    struct loop *loop;
    struct server_log *log;
    struct ask_server *servers;
};

/* One question. With a link, or in the queue of those that wait for one. */
struct ask {
    struct ask_server *server;
    struct ask_link *link; /* NULL: waits */
    struct ask *next;      /* of those that wait */
    struct timer *deadline;
    uint64_t timeout_ms, deadline_ms;
    ask_done *done;
    void *owner;
    char *request; /* owned */
    size_t length;
};

enum ask_link_state {
    ASK_LINK_CONNECTING,
    ASK_LINK_ASKING, /* the request is out, its answer due */
    ASK_LINK_IDLE    /* kept for the next question */
};

struct ask_link {
    struct ask_link *next;
    struct ask_server *server;
    struct stream *stream;
    struct timer *idle;
    struct ask *ask; /* NULL while idle */
    enum ask_link_state state;
    bool is_used; /* it has carried a question before */
    struct policy_reply reply;
};

/* ask_link.c */
/* An idle one, or a new one; NULL: there may be no more now, or memory is
 * out. The question goes out as soon as it is connected. */
struct ask_link *ask_link_take(struct ask *ask);
/* The same, but never an idle one. */
struct ask_link *ask_link_new(struct ask *ask);
/* Cuts it off; its question, if any, has none any more. */
void ask_link_drop(struct ask_link *link);

/* asks.c */
/* The answer to the link's question; the link is idle or gone already. */
void ask_answer(struct ask *ask, struct str action);
void ask_fail(struct ask *ask, const char *fault);
/* A kept connection turned out to be closed. */
void ask_again(struct ask *ask);
/* There may be a connection for one that waits. */
void ask_server_serve(struct ask_server *server);

#endif
