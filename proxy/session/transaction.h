/* One transaction: from an accepted MAIL to its last reply. Owns its arena,
 * its effects, its recipients and its delivery. */
#ifndef PROXY_SESSION_TRANSACTION_H
#define PROXY_SESSION_TRANSACTION_H

#include "proxy/session/domain_set.h"
#include "proxy/session/log_capture.h"
#include "proxy/session/session_internal.h"
#include "proxy/session/shadow.h"
#include "proxy/smtp/content_reader.h"
#include "proxy/smtp/header_reader.h"
#include "proxy/upstream/delivery.h"
#include "rules/evaluate.h"

enum recipient_state {
    RECIPIENT_VETTED,   /* with the rules, no verdict yet */
    RECIPIENT_ASKED,    /* with the upstream, no answer yet */
    RECIPIENT_ACCEPTED, /* the upstream took it */
    RECIPIENT_REFUSED   /* by us or by the upstream */
};

struct recipient {
    enum recipient_state state;
    struct str original; /* as the client gave it */
    struct str mailbox;  /* as it goes on */
    struct rcpt_params params;
    struct reply reply; /* once answered */
    bool is_ours;       /* the reply is Postern's own */
    bool is_closing;    /* a rule closes the session with this reply */
    /* How a candidate policy differs; NULL: it does not. */
    const struct shadow_result *shadow;
    size_t index; /* with the upstream, when it was asked */

    /* For the log: when the rules were asked, when the upstream answered (0:
     * neither), its own words and the rule that refused. */
    uint64_t asked_us, answered_us;
    struct reply upstream_reply; /* code 0: none */
    const struct rule *rule;
    /* Where its rules would have sent it, had it not followed the first; n 0:
     * it did not. */
    struct str route;
};

/* A recipient that a rule added. */
struct added {
    struct str mailbox;
    bool is_required;
    enum recipient_state state;
    struct reply reply; /* the upstream's, once answered */
};

/* A question to a policy server, for the log. */
struct asked {
    enum stage stage;
    struct str rule, server;
    struct str action; /* p NULL: none came */
    const char *fault; /* why; NULL: one came */
    uint64_t us;       /* how long it took */
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
    const struct settings *settings; /* as of MAIL; a reference */
    struct arena arena;
    char id[TRANSACTION_ID_ROOM];
    uint64_t started_us, started_wall_us, ended_us;
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

    struct added *added; /* asked of the upstream behind the client's own */
    size_t added_count, added_answered;

    /* Of the first recipient, in host->settings. */
    const struct upstream_settings *upstream;
    struct delivery *delivery;     /* NULL: none (any more) */
    struct kept_credentials login; /* there, of a value of a fact */

    struct content_reader content;
    struct header_reader header;
    bool has_header_reader;
    struct header_fields fields;
    uint64_t header_bytes;
    bool has_header; /* fields and header_bytes are set */
    /* Octets decoded and not yet taken by the delivery: the edited header
     * block first, later what it had no room for. Owned. */
    char *unsent;
    size_t unsent_at, unsent_length;
    /* Decoded octets of the body that came before the header block was
     * decided. Owned. */
    char *behind;
    size_t behind_length;
    /* BDAT (RFC 3030): the chunk under way. */
    uint64_t chunk_size, chunk_count;
    bool is_last_chunk;
    bool is_chunk_read; /* to its end, and not yet answered */
    bool is_complete;   /* the end of data was read */
    uint64_t drained;   /* octets swallowed since the refusal */
    uint64_t octets_in; /* raw octets read since 354 */
    uint64_t heard_ms;  /* when the client last said anything, or might not */
    uint64_t minute_ms; /* when the minute of caps.data_rate began */
    uint64_t octets_at_minute;
    bool was_held_back; /* the upstream was slower, in this minute */

    /* The answer for end of data, once it is known. */
    struct reply final;
    bool has_final;
    bool is_final_ours;

    /* For the log. */
    struct log_capture capture;
    uint64_t stage_us[STAGE_COUNT]; /* when it was asked last; 0: never */
    uint64_t end_answer_us;  /* when the upstream answered the end of data */
    uint64_t headers_count;  /* as the header stage learned it */
    uint64_t stopped_at;     /* octets when a size was exceeded; 0: not */
    const struct rule *rule; /* that decided; NULL: none did */
    enum transaction_verdict verdict;
    enum stage stage; /* where it was decided */
    uint64_t caps;    /* that were crossed, as session_cap_bit()s */
    struct str server;
    struct reply upstream_reply; /* code 0: none */
    bool is_uncertain;
    const char *fault;
    /* Reply rules that wait for the store of budgets; the upstream's last
     * answer waits for them, so that the log tells what they did. */
    size_t replies_in_question;
    bool has_end_waiting;
    struct reply end_reply; /* that answer */
    bool is_end_ours;
    bool has_ended;               /* only they keep it */
    enum budget_answered budgets; /* what the store had no part in */
    struct asked *asked;          /* questions to policy servers */
    size_t question_count, question_capacity;
    /* How a candidate policy differs; NULL: it does not. */
    const struct shadow_result *shadow;
};

/* NULL when out of memory. */
/* What an upstream may be told of the client; all of it outlives the
 * transaction. */
struct client_identity client_of_session(const struct session *s);

struct transaction *transaction_new(struct session *s);
/* The client has gone: upstreams keep nothing that was connected in its name
 * alone. */
void transaction_forget_client(struct session *s);

/* Ends it: drops a delivery that has not finished, settles what is held
 * (given back unless the upstream took the message), writes the log line,
 * frees it and forgets its facts. */
void transaction_end(struct session *s);

/* The reply rules are done with one reply. True: the upstream's last answer has
 * waited for that. */
bool transaction_reply_judged(struct transaction *t);

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
/* Keeps a copy, as far as there is memory. */
void transaction_note_asked(struct transaction *t, const struct asked *asked);
/* Sends the replies of recipients that are due, in order. */
void transaction_flush_replies(struct session *s);

/* The upstream that `route` names; n 0: the listener's. Each snapshot has the
 * same upstreams; these are the server's own, which live as long as
 * connections to them. */
const struct upstream_settings *
transaction_find_upstream(const struct session *s, struct str route);

#endif
