/* One rule, frozen: its condition, its limit and what it does. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "rules/condition.h"
#include "rules/header_fields.h"
#include "rules/limit.h"

enum rule_mode {
    RULE_LIVE,
    RULE_SHADOW, /* evaluated with budgets of its own, acts on nothing */
    RULE_OFF     /* not evaluated */
};

enum decision {
    DECISION_NONE,
    DECISION_ACCEPT,
    DECISION_REJECT,
    DECISION_DEFER,
    DECISION_CLOSE
};

struct reply_action {
    int code;
    struct str enhanced;
    struct template text;
};

struct rewrite_action {
    struct fact_ref fact;
    struct template text;
    /* The patterns that this rule tests the same fact with: of a header only
     * the values that one of them matches are replaced, each by its own
     * captures. NULL: all are. */
    const struct matcher *guard;
};

struct header_action {
    enum header_edit_kind kind;
    struct str name;
    struct template text; /* unused by remove */
};

struct recipient_action {
    struct template text;
    bool is_required;
};

struct list_action {
    const struct list *list;
    struct template text;
    uint64_t for_ms;
    bool is_removal;
};

/* Every fact that `when` (but for exists) and the templates name. */
struct required_facts {
    struct fact_ref *items;
    size_t count, capacity;
};

struct rule {
    struct str name;
    enum stage stage;
    const void *origin;
    enum rule_mode mode;
    struct condition *when; /* NULL: always */
    struct required_facts required;
    struct dynamic_tests dynamic;
    struct limit *limit; /* NULL: none */
    struct rewrite_action *rewrites;
    size_t rewrite_count, rewrite_capacity;
    struct header_action *headers;
    size_t header_count, header_capacity;
    struct list_action *lists;
    size_t list_count, list_capacity;
    struct template *tags;
    size_t tag_count, tag_capacity;
    struct template *notes;
    size_t note_count, note_capacity;
    struct recipient_action *recipients; /* add_recipient */
    size_t recipient_count, recipient_capacity;
    uint64_t delay_ms;
    struct str ask;   /* a policy server's name; n is 0: none */
    struct str route; /* n is 0: none */
    enum decision decision;
    struct reply_action reply;
};

/* Whether recipients of one message may go to different upstreams by it. */
bool rule_routes_by_recipient(const struct rule *rule);

/* The word of what it does, for the log. */
const char *rule_did(const struct rule *rule);
/* The key that says it in postern.yaml; not of DECISION_NONE. */
const char *rule_decision_word(enum decision decision);

#endif
