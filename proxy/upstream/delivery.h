/* One transaction on its way to its upstream. The session starts a delivery
 * when the first recipient is vetted, and from then on hands over what is
 * vetted; answers come back by events. Two implementations: SMTP servers, and
 * the embedded Maildir. Events never come from inside a call.
 *
 * Order: delivery_new, delivery_rcpt (one or more, as they are vetted),
 * then delivery_data, delivery_body…, delivery_finish; delivery_free at any
 * point: before the finish it makes sure that nothing is delivered (RSET
 * where the protocol is between commands, else the connection is dropped
 * without a final dot), after it the outcome is lost to the caller. */
#ifndef PROXY_UPSTREAM_DELIVERY_H
#define PROXY_UPSTREAM_DELIVERY_H

#include "config/settings.h"
#include "proxy/smtp/params.h"
#include "proxy/smtp/reply.h"
#include "proxy/smtp/xclient.h"

struct credentials;
struct delivery;
struct upstreams; /* one a worker: pools, capabilities; see upstreams.h */

/* The vetted envelope; borrowed, and const, until delivery_free(). */
struct envelope {
    struct str reverse_path; /* mailbox, without brackets; n 0: <> */
    struct mail_params params;
    struct str id;                 /* of the transaction, for logs and names */
    struct client_identity client; /* for an upstream that is told of it */
    /* Instead of the upstream's own login; NULL: that, or none. */
    const struct credentials *credentials;
};

/* An answer for the client: the upstream's own words (sanitised by the rules
 * of design 1.3), or ours when it could not be asked. */
struct outcome {
    struct reply reply;
    bool is_upstreams; /* else a fault on the way: already 451 */
    bool is_uncertain; /* the final dot was sent and no answer came */
    const char *fault; /* NULL, or words for the log */
    struct str server; /* "127.0.0.1:25"; n 0: none was reached */
    /* The upstream's reply as it came, before 1.3's exceptions; code 0: it
     * did not answer. For the reply stage and the log. */
    struct reply original;
};

/* Everything in an outcome is valid within the call only. */
struct delivery_events {
    /* The answer to recipient `index` (0 is the first delivery_rcpt). In
     * order of index; if the upstream refused MAIL, that answer, for each. */
    void (*on_rcpt)(void *owner, size_t index, const struct outcome *outcome);
    /* There is room again for delivery_body(). */
    void (*on_room)(void *owner);
    /* The end: the answer to the finish, or, before it, the failure that ends
     * this delivery while the body flows (then stop sending; the answer is
     * for end of data) or even before delivery_data, once a recipient was
     * accepted. Comes once, and not for failures that came to every recipient
     * by on_rcpt. */
    void (*on_end)(void *owner, const struct outcome *outcome);
};

/* `envelope` is borrowed. NULL when out of memory. */
struct delivery *delivery_new(struct upstreams *upstreams,
                              const struct upstream_settings *settings,
                              const struct envelope *envelope,
                              const struct delivery_events *events,
                              void *owner);
/* Sends RCPT at once, without waiting for earlier answers; with the first,
 * MAIL in the same write. All is copied. 0; -1: out of memory; or: the server
 * is known, and lacks what the parameters need. */
#define DELIVERY_LACKS_DSN (-2)
int delivery_rcpt(struct delivery *delivery, struct str mailbox,
                  const struct rcpt_params *params);
/* The same for a recipient of ours: nobody is to be told what becomes of it
 * (NOTIFY=NEVER, RFC 3461 4.1, where the upstream offers DSN). */
int delivery_add(struct delivery *delivery, struct str mailbox);

/* Says DATA: all recipients were answered, at least one was accepted. The
 * octets that follow by delivery_body are the message: header fields, the
 * empty line, the body, decoded (no dots stuffed). */
void delivery_data(struct delivery *delivery);
/* Takes as much as it has room for (possibly 0: wait for on_room) and
 * returns the number of octets. After on_end it takes all and drops it. */
size_t delivery_body(struct delivery *delivery, struct str octets);
/* The final dot, and the wait for the answer: on_end follows. */
void delivery_finish(struct delivery *delivery);

void delivery_free(struct delivery *delivery);

#endif
