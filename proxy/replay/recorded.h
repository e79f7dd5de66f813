/* A line of the decision log, read back (postern-log(5)): who came, what was
 * said and when, and what was decided then. Texts borrow from the struct.
 * What a line does not hold is absent: a text with p NULL, a reply with code
 * 0, a time of RECORDED_NEVER. Times are microseconds since the epoch. */
#ifndef PROXY_REPLAY_RECORDED_H
#define PROXY_REPLAY_RECORDED_H

#include "proxy/smtp/reply.h"
#include "rules/facts.h"

struct json_node;
struct ruleset;

#define RECORDED_NEVER UINT64_MAX

enum recorded_event {
    RECORDED_SESSION,
    RECORDED_AUTH,
    RECORDED_TRANSACTION,
    RECORDED_LIST,
    RECORDED_OTHER
};

enum recorded_verdict {
    RECORDED_ACCEPT,
    RECORDED_REJECT,
    RECORDED_DEFER,
    RECORDED_ABORT
};

/* Whose words a reply is. */
enum recorded_by { BY_UPSTREAM, BY_POSTERN, BY_RULE };

struct recorded_decision {
    struct reply reply; /* what the client was told */
    enum recorded_by by;
    struct str rule; /* BY_RULE */
};

struct recorded_helo {
    struct str name, verb;
    bool is_secure;
    uint64_t at_us;
    struct recorded_decision decision; /* code 0: it was welcome */
};

struct recorded_recipient {
    struct str to, sent; /* to: p NULL when it was no address: not vetted */
    enum recorded_verdict verdict;
    struct recorded_decision decision;
    struct reply upstream; /* what reply rules saw; code 0: nothing */
    uint64_t at_us, answered_us;
};

struct recorded_added {
    struct str to;
    bool is_required;
};

/* The fields of one name before any edit: their bodies, folds and all. None:
 * there was no such field. */
struct recorded_header {
    struct str name;
    struct str *bodies;
    size_t count;
};

struct recorded_rule {
    enum stage stage;
    struct str rule, did;
    bool is_shadow;
};

struct recorded_use {
    struct str rule, key;
    uint64_t before, after, max;
    uint64_t retry_after_ms; /* 0 when it was within, or is not known */
};

struct recorded_ask {
    enum stage stage;
    struct str server, action, failure;
    bool is_used; /* for whoever replays */
};

struct recorded {
    enum recorded_event event;
    struct str id, session;
    uint64_t time_us, end_us;

    /* Of every event but the list. */
    struct str client_ip, listener;
    uint64_t client_port;
    struct str helo_name, helo_verb;
    struct str tls_version, tls_cipher, tls_sni, tls_fingerprint;
    struct str *tls_names;
    size_t tls_name_count;
    /* A proven login, or of RECORDED_AUTH an attempt. */
    bool has_auth;
    struct str auth_name, auth_user, auth_mechanism, auth_result;
    struct str auth_known; /* "true", "false" */
    struct str *addresses, *groups;
    size_t address_count, group_count;

    /* RECORDED_SESSION: of the connect stage. RECORDED_AUTH: the rules'
     * refusal. RECORDED_TRANSACTION: for the whole. */
    struct recorded_decision decision;

    struct recorded_helo *helos;
    size_t helo_count;

    enum recorded_verdict verdict;
    enum stage stage; /* that decided */
    bool has_stage, is_uncertain;
    struct str mail_from, mail_sent, mail_body, mail_envid, mail_smtputf8,
        mail_requiretls;
    bool has_size;
    uint64_t mail_size;
    struct recorded_recipient *recipients;
    size_t recipient_count;
    struct recorded_added *added;
    size_t added_count;
    bool has_header; /* the block was read */
    uint64_t header_count, header_bytes, header_hops;
    bool has_hops;
    struct str *from; /* every reading of From, before any edit */
    size_t from_count;
    struct recorded_header *headers; /* those that rules named then */
    size_t header_fact_count;
    bool has_message; /* its end was read */
    uint64_t message_bytes, message_lines, message_longest_line;
    bool has_longest_line;
    uint64_t stopped_at; /* octets when a size was exceeded; 0: none was */
    struct str upstream_name, upstream_server;
    struct reply upstream_reply; /* the last one */
    uint64_t mail_us, data_us, header_us, message_us, answer_us;
    struct str policy;

    /* RECORDED_LIST */
    struct str list, value;
    bool is_removal;
    uint64_t for_ms;

    struct recorded_rule *rules;
    size_t rule_count;
    struct recorded_use *uses;
    size_t use_count;
    struct recorded_ask *asks;
    size_t ask_count;
    struct str *cut; /* what the line had no room for */
    size_t cut_count;
    struct str *redacted; /* facts that it holds as hashes */
    size_t redacted_count;

    struct arena arena; /* private */
    const struct json_node *root;
};

/* Reads one line, without its LF. 0, or -1: it is no line of the log, or
 * memory is out; then there is nothing to release. */
int recorded_read(struct recorded *recorded, struct str line);
void recorded_release(struct recorded *recorded);

/* The facts as they were learned, stage by stage; what the line does not hold
 * stays absent. `facts` must not outlive `recorded`. -1: out of memory. */
int recorded_learn_connect(struct recorded *recorded, struct facts *facts);
void recorded_learn_tls(const struct recorded *recorded, struct facts *facts);
void recorded_learn_helo(const struct recorded_helo *helo, struct facts *facts);
/* Of an attempt, or of the login that stood. */
void recorded_learn_auth(const struct recorded *recorded, struct facts *facts);
void recorded_learn_mail(const struct recorded *recorded, struct facts *facts);
/* Number `index`; rcpt.domains counts those vetted before it. */
void recorded_learn_rcpt(const struct recorded *recorded, size_t index,
                         struct facts *facts);
/* The fields that the line holds; `arena` keeps what rules change. The
 * numbers headers.* are set as they were recorded. -1: out of memory. */
int recorded_learn_header(const struct recorded *recorded, struct arena *arena,
                          struct header_fields *fields, struct facts *facts);
void recorded_learn_message(const struct recorded *recorded,
                            struct facts *facts);
/* What reply rules saw; `recipient` NULL: of the end of data. */
void recorded_learn_reply(const struct recorded *recorded,
                          const struct recorded_recipient *recipient,
                          struct facts *facts);

/* Whether the line holds this fact, if its stage was reached at all. */
bool recorded_holds(const struct recorded *recorded,
                    const struct fact_ref *ref);

#endif
