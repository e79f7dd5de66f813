/* One mail through every stage of a policy, without a network: what would be
 * said to the client, and what would go to the upstream. The rules are
 * reached through rules/dry_run.h; what the session itself holds a mail to
 * (a login, caps, one route) is checked as it does. */
#ifndef PROXY_EXPLAIN_REHEARSAL_H
#define PROXY_EXPLAIN_REHEARSAL_H

#include "config/settings.h"
#include "proxy/explain/story.h"
#include "rules/dry_run.h"

enum mail_login {
    MAIL_WITHOUT_LOGIN,
    MAIL_LOGIN_OK,
    MAIL_LOGIN_FAILED,
    MAIL_LOGIN_UNAVAILABLE
};

/* A fact that is stated as it is, whatever else is known. */
struct stated_fact {
    struct fact_ref ref;
    struct str *values;
    size_t count;
    uint64_t number; /* FACT_TYPE_NUMBER */
};

/* What a policy server is taken to say. */
struct stated_answer {
    struct str server, action;
};

/* What is known of the mail; what is not stated is absent. */
struct rehearsal_mail {
    uint64_t at_ms; /* wall time */
    const struct listener_settings *listener;
    struct str client; /* its address; n 0: absent, as with the others */
    struct str helo;
    enum mail_login login;
    struct str user;
    const struct str *addresses, *groups;
    size_t address_count, group_count;
    bool has_from;
    struct str from;
    const struct str *to;
    size_t to_count;
    bool has_size;
    uint64_t size;
    struct header_fields *header; /* NULL: no message; it is edited */
    uint64_t bytes, lines, longest_line;
    /* What the upstream says: to each RCPT, or at the end of data. */
    bool has_reply, is_reply_to_rcpt;
    int reply_code;
    struct str reply_enhanced, reply_text;
    const struct stated_fact *facts;
    size_t fact_count;
    const struct stated_answer *answers;
    size_t answer_count;
};

/* Fills the story. All is borrowed but the story's own. 0, or -1 when out of
 * memory. */
int rehearse(const struct settings *settings, const struct ruleset *rules,
             struct ledger *ledger, const struct rehearsal_mail *mail,
             struct story *story);

#endif
