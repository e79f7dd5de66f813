/* One SMTP connection to one server of an upstream: banner, EHLO, STARTTLS
 * and AUTH where they are configured (never without then), and from there one
 * transaction after another for whoever holds it. Entering a state sends, a
 * handler a state takes the reply. Events never come from inside a call.
 *
 * Octets that nothing asked for, before a command is sent, end the connection:
 * else a later answer could be taken for that of another question. */
#ifndef PROXY_UPSTREAM_UPSTREAM_H
#define PROXY_UPSTREAM_UPSTREAM_H

#include "proxy/log/server_log.h"
#include "proxy/net/loop.h"
#include "proxy/smtp/capability.h"
#include "proxy/sasl/scram_client.h"
#include "proxy/tls/tls_context.h"
#include "proxy/tls/tls_session.h"
#include "proxy/upstream/credentials.h"
#include "proxy/upstream/outcome.h"
#include "proxy/upstream/token_source.h"
#include "proxy/upstream/upstream_state.h"

struct upstream;

/* Whom to connect to, and how. All borrowed, and outlives the connection. */
struct upstream_target {
    struct loop *loop;
    const struct settings *settings;
    const struct upstream_settings *upstream;
    const struct endpoint *server;
    struct tls_context *tls;       /* NULL: clear text */
    struct tls_sessions *sessions; /* of this server */
    struct server_log *log;
    /* AUTH follows EHLO where either of these is there. */
    const struct credentials *credentials;
    struct token_source *tokens; /* for login.user */
    struct scram_keys *keys;     /* kept from one login to the next */
};

struct upstream_events {
    /* UPSTREAM_READY is reached: after the EHLO (the first, or that behind
     * XCLIENT), or after RSET. */
    void (*on_ready)(void *owner);
    /* A reply to what the holder asked in state `asked`; one in
     * UPSTREAM_BODY came too early. The connection is UPSTREAM_CLOSED already
     * when it was a 421 or too early. Valid within the call. */
    void (*on_reply)(void *owner, enum upstream_state asked,
                     const struct reply *reply);
    /* upstream_body() or upstream_chunk() takes octets again. */
    void (*on_room)(void *owner);
    /* It failed in state `in` and is UPSTREAM_CLOSED: upstream_free() is left
     * to do. Also when a QUIT ended in order. */
    void (*on_failed)(void *owner, enum upstream_state in,
                      const struct fault *fault);
};

/* Starts connecting. `client`: in whose name, where a PROXY header tells it;
 * NULL: in Postern's own. NULL when out of memory. */
struct upstream *upstream_start(const struct upstream_target *target,
                                const struct client_identity *client,
                                const struct upstream_events *events,
                                void *owner);
/* Drops the connection at once, without a final dot; no events any more. */
void upstream_free(struct upstream *upstream);
/* Another one gets the events from now on. */
void upstream_hand(struct upstream *upstream,
                   const struct upstream_events *events, void *owner);

enum upstream_state upstream_state(const struct upstream *upstream);
const struct capabilities *upstream_capabilities(const struct upstream *u);
/* The first of these extensions (bits of enum extension) that it can't do;
 * EXTENSION_COUNT: it can do all. */
enum extension upstream_lacks(const struct upstream *upstream,
                              unsigned extensions);
/* Transactions begun on this connection. */
uint64_t upstream_transactions(const struct upstream *upstream);
/* An answer that accepts MAIL, a RCPT or a message. False: it is that to a
 * message of before, come late, so that no later one can be believed. */
bool upstream_is_in_step(struct upstream *upstream, enum question_asked asked,
                         const struct reply *accepted);
/* Whether it offers CHUNKING, and its answers to chunks can't be mistaken. */
bool upstream_takes_chunks(const struct upstream *upstream);
/* Answers that are due. */
size_t upstream_due(const struct upstream *upstream);
/* Whether it is ready and nothing came unasked. */
bool upstream_is_clean(const struct upstream *upstream);

/* Whether mail of that client may go over it: where the upstream wants XCLIENT
 * the same was told already, or another may be told; where it wants a PROXY
 * header, that one named this very connection of the client's. */
bool upstream_suits(const struct upstream *upstream,
                    const struct client_identity *client);
/* From UPSTREAM_READY: tells who the client is, where the upstream wants that
 * and it was not told the same last. on_ready follows; false: nothing is to
 * be told. */
bool upstream_tell_client(struct upstream *upstream,
                          const struct client_identity *client);

/* Sends commands of the envelope that will bring `replies` answers. */
void upstream_envelope(struct upstream *upstream, struct str commands,
                       size_t replies);
void upstream_data(struct upstream *upstream);
/* Whether the octets of the message (dot-stuffed by the caller, or chunks)
 * that are under way leave room for more; if not, on_room follows. */
bool upstream_has_room(const struct upstream *upstream);
void upstream_body(struct upstream *upstream, struct str octets);
/* The last octets, with the final dot. */
void upstream_dot(struct upstream *upstream, struct str octets);
/* Instead of DATA: the message goes in chunks (RFC 3030). */
void upstream_begin_chunks(struct upstream *upstream);
/* One BDAT and its octets; an answer to each follows. */
void upstream_chunk(struct upstream *upstream, struct str octets, bool is_last);
/* From the envelope, or between chunks: gives the transaction up; answers
 * still due are dropped, then on_ready follows. */
void upstream_rset(struct upstream *upstream);
/* From UPSTREAM_READY: on_failed follows when it has ended. */
void upstream_quit(struct upstream *upstream);

#endif
