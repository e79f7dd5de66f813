/* The inside of a connection to an upstream, for its seven files: upstream.c
 * keeps the connection and its state, upstream_events.c hears the stream and
 * the clock, upstream_replies.c takes what comes, upstream_login.c logs in,
 * upstream_client.c tells who the client is, upstream_transaction.c sends the
 * mail, upstream_step.c doubts the answers. */
#ifndef PROXY_UPSTREAM_UPSTREAM_INTERNAL_H
#define PROXY_UPSTREAM_UPSTREAM_INTERNAL_H

#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "proxy/sasl/sasl_client.h"
#include "proxy/smtp/reply_reader.h"
#include "proxy/upstream/upstream.h"

/* The enhanced code that something was accepted with first. */
struct accepted_code {
    bool is_known;
    size_t length; /* 0: there was none */
    char octets[16];
};

struct upstream {
    struct upstream_target target;
    const struct upstream_events *events;
    void *owner;
    enum upstream_state state;
    uint64_t started_ms;   /* when it began to connect */
    struct stream *stream; /* NULL once closed */
    struct timer *deadline;
    struct reply_reader replies;
    struct capabilities capabilities;
    size_t due;
    bool is_in_reply; /* part of a reply was read */
    uint64_t transactions;
    struct accepted_code accepted[ASKED_COUNT];
    bool is_logged_in;
    struct token_wait token_wait;
    struct kept_credentials login; /* while AUTH is under way */
    struct sasl_client *sasl;      /* the same */
    struct arena telling;          /* holds the client that was told last */
    bool has_client;
    struct client_identity client;
    struct str xclient;    /* commands about it that are still to be sent */
    size_t pending_before; /* output queued when the deadline was armed */
    bool is_freed;
    struct loop_later later;
    enum upstream_state failed_in;
    struct fault fault;
};

/* The only way to change the state: what it stands for is sent. */
void upstream_enter(struct upstream *upstream, enum upstream_state state);
/* Sends what brings `replies` answers. */
void upstream_send(struct upstream *upstream, struct str octets,
                   size_t replies);
/* (Re)starts the deadline of the state, where something is waited for. */
void upstream_arm(struct upstream *upstream);
extern const struct stream_events upstream_stream_events;
/* The deadline of the state passed. */
void upstream_on_deadline(void *owner);
/* Ends the connection; on_failed follows at the end of the turn. */
void upstream_fail(struct upstream *upstream, enum fault_kind kind,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the connection and tells nobody. */
void upstream_drop(struct upstream *upstream);
/* Takes all replies there are. */
void upstream_read_replies(struct upstream *upstream);
/* Between transactions from now on; the holder is told. */
void upstream_become_ready(struct upstream *upstream);
/* Behind EHLO: goes on to AUTH where that is left to do, else it is ready. */
void upstream_log_in(struct upstream *upstream);
/* Entrances and handler of the states of a login. */
void upstream_ask_token(struct upstream *upstream);
void upstream_send_auth(struct upstream *upstream);
void upstream_answer_auth(struct upstream *upstream, const struct reply *reply);
/* Wipes what a login needs while it is under way. */
void upstream_end_login(struct upstream *upstream);
/* Where PROXY headers are wanted, keeps in whose name it connects. 0, or -1:
 * out of memory. */
int upstream_keep_client(struct upstream *upstream,
                         const struct client_identity *client);
/* The first octets of a connection, where there is a PROXY header. */
void upstream_send_proxy_header(struct upstream *upstream);
/* The name to greet with: the client's, once that was told. */
struct str upstream_greeting_name(const struct upstream *upstream);
void upstream_send_xclient(struct upstream *upstream);
void upstream_answer_xclient(struct upstream *upstream,
                             const struct reply *reply);

#endif
