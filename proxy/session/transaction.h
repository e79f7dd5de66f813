/* One transaction: from an accepted MAIL to its last reply. Owns its arena,
 * its effects, its recipients and its delivery. */
#ifndef PROXY_SESSION_TRANSACTION_H
#define PROXY_SESSION_TRANSACTION_H

#include "proxy/session/domain_set.h"
#include "proxy/session/session_internal.h"
#include "proxy/smtp/dot_reader.h"
#include "proxy/smtp/header_reader.h"
#include "proxy/upstream/delivery.h"
#include "rules/evaluate.h"

enum recipient_state {
    RECIPIENT_ASKED,    /* with the upstream, no answer yet */
    RECIPIENT_ACCEPTED, /* the upstream took it */
    RECIPIENT_REFUSED   /* by us or by the upstream */
};

struct recipient {
    enum recipient_state state;
    struct str original; /* as the client gave it */
    struct str mailbox;  /* as it goes on */
    struct reply reply;  /* once answered */
    bool is_ours;        /* the reply is Postern's own */
    bool is_closing;     /* a rule closes the session with this reply */
    size_t index;        /* with the upstream, when it was asked */
};

/* How it ended, in the log's word. */
enum transaction_verdict {
    TRANSACTION_ACCEPT,
    TRANSACTION_REJECT,
    TRANSACTION_DEFER,
    TRANSACTION_ABORT /* the client broke it off */
};

struct transaction {
    struct session *session;
    struct arena arena;
    char id[TRANSACTION_ID_ROOM];
    uint64_t started_us, started_wall_us;
    uint64_t policy_us, upstream_us, upstream_since_us;

    struct envelope envelope;
    struct str reverse_path_original;
    struct effects effects;
    struct str route; /* of connect … mail; n 0: the listener's upstream */

    struct recipient *recipients;
    size_t recipient_count, recipient_capacity;
    size_t asked_count;    /* recipients the upstream was asked about */
    size_t answered_count; /* how many of those it answered */
    size_t accepted_count;
    size_t replied_count;      /* the first so many have had their reply */
    size_t refused_over_cap;   /* RCPTs beyond the cap, not yet answered */
    struct domain_set domains; /* of every recipient that was vetted */

    const struct upstream_settings *upstream; /* of the first recipient */
    struct delivery *delivery;                /* NULL: none (any more) */

    struct dot_reader dots;
    struct header_reader header;
    bool has_header_reader;
    struct header_fields fields;
    uint64_t header_bytes;
    bool has_header; /* fields and header_bytes are set */
    /* Octets decoded and not yet taken by the delivery: the edited header
     * block first, later what it had no room for. Owned. */
    char *unsent;
    size_t unsent_at, unsent_length;
    bool is_complete;   /* the end of data was read */
    uint64_t drained;   /* octets swallowed since the refusal */
    uint64_t octets_in; /* raw octets read since 354 */
    uint64_t octets_at_tick;
    uint64_t silent_ms;
    bool was_held_back; /* the upstream was slower, since the last tick */

    /* The answer for end of data, once it is known. */
    struct reply final;
    bool has_final;
    bool is_final_ours;

    /* For the log. */
    enum transaction_verdict verdict;
    enum stage stage; /* where it was decided */
    struct str server;
    struct reply upstream_reply; /* code 0: none */
    bool is_uncertain;
    const char *fault;
};

/* NULL when out of memory. */
struct transaction *transaction_new(struct session *s);

/* Ends it: drops a delivery that has not finished, settles what is held
 * (given back unless the upstream took the message), writes the log line,
 * frees it and forgets its facts. */
void transaction_end(struct session *s);

/* Recipients that wait for the upstream's answer. */
bool transaction_is_waiting(const struct transaction *t);

/* Copies a reply's texts into the arena; on lack of memory a literal. */
struct reply transaction_keep_reply(struct transaction *t,
                                    const struct reply *reply);
/* Gives back what was held for one recipient: it was refused. */
void transaction_settle_recipient(struct transaction *t, size_t index);

/* The decision about the whole transaction was made at `stage`. */
void transaction_decide(struct transaction *t, enum stage stage,
                        const struct verdict *verdict);
/* The same, by a reply: ours, or the upstream's. */
void transaction_decide_reply(struct transaction *t, enum stage stage,
                              const struct reply *reply, bool is_ours);
/* The reply for the whole transaction, as it was decided. */
void transaction_reply_final(struct session *s);
/* Sends the replies of recipients that are due, in order. */
void transaction_flush_replies(struct session *s);

#endif
