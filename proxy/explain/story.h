/* What the rules did with one mail, stage by stage, kept for telling: who
 * collects it is tracer.h, who tells it are story_text.h and story_json.h.
 * A value; all memory is its arena's but for the ruleset's, which must
 * outlive it. */
#ifndef PROXY_EXPLAIN_STORY_H
#define PROXY_EXPLAIN_STORY_H

#include "config/diag.h"
#include "rules/rule.h"
#include "rules/ruleset.h"
#include "rules/trace.h"

/* A test of `when`, as it is written, and what it came to. */
struct story_test {
    const struct test *test;
    struct str text; /* mail.from not_in {auth.addresses} */
    bool holds;
    bool has_value;
    struct str value; /* that decided */
};

enum story_question {
    STORY_LIMIT,    /* a budget, before and after */
    STORY_MEASURED, /* a limit without a period */
    STORY_LISTED,   /* a dynamic list */
    STORY_ASKED     /* a policy server */
};

struct story_answer {
    enum story_question kind;
    struct str name;  /* LISTED: the list; ASKED: the server */
    struct str key;   /* LIMIT: of the budget; LISTED: the value */
    struct str reply; /* ASKED: p is NULL: none */
    struct str unit;  /* LIMIT, MEASURED */
    bool is_yes;      /* LIMIT, MEASURED: within; LISTED: listed */
    uint64_t cost, before, after, max, retry_after_ms;
    struct rate rate;
};

enum story_edit_kind {
    STORY_REWRITE, /* name: the fact, or the field */
    STORY_HEADER_ADD,
    STORY_HEADER_REMOVE,
    STORY_ROUTE,
    STORY_TAG,
    STORY_NOTE,
    STORY_LIST_ADD,
    STORY_LIST_REMOVE,
    STORY_RECIPIENT,
    STORY_DELAY
};

struct story_edit {
    enum story_edit_kind kind;
    struct str name, before, after;
    uint64_t ms;      /* of LIST_ADD, 0: until removed; of DELAY */
    bool is_required; /* RECIPIENT */
};

struct story_rule {
    const struct rule *rule;
    enum rule_fate fate;
    struct str absent; /* FATE_ABSENT: the fact that is not known */
    struct story_test *tests;
    size_t test_count, test_capacity;
    struct story_answer *answers;
    size_t answer_count, answer_capacity;
    struct story_edit *edits;
    size_t edit_count, edit_capacity;
    bool has_reply; /* it decides: a refusal */
    struct str reply;
    const char *fault;    /* what broke in it; NULL: nothing */
    struct str *remedies; /* any one of them would do; of a refusal */
    size_t remedy_count, remedy_capacity;
};

/* One stage; of rcpt and reply one for each recipient. */
struct story_stage {
    enum stage stage;
    struct str subject; /* whom it is about, as the client said it */
    struct story_rule *rules;
    size_t rule_count, rule_capacity;
    enum verdict_kind kind;
    int code;
    struct str reply;        /* the refusal; n 0: it passes */
    const struct rule *rule; /* that refuses; NULL: none, or Postern itself */
};

/* A recipient as it goes to the upstream. */
struct story_recipient {
    struct str original, address;
    bool is_added;
    struct str route; /* its own, though it follows the first; n 0: it does
                         not */
};

struct story {
    struct arena arena;
    bool is_full; /* the arena was: something is missing */
    /* Put together from the decision log; else from what was stated. */
    bool is_recorded;
    struct str *notes; /* what whoever reads it should know first */
    size_t note_count, note_capacity;
    struct story_stage *stages;
    size_t stage_count, stage_capacity;
    /* Why the stages behind the last one were not run; n 0: all were. */
    struct str end;
    bool is_accepted;
    /* What would go on, when it is accepted. */
    struct str reverse_path;
    struct story_recipient *recipients;
    size_t recipient_count, recipient_capacity;
    struct str upstream; /* its name */
    bool has_header;
    struct str *header; /* the fields, each with its line end */
    size_t header_count, header_capacity;
};

void story_init(struct story *story);
void story_release(struct story *story);

/* One more of each, zeroed; NULL when the arena is full. Earlier pointers to
 * the same kind may move. */
struct story_stage *story_add_stage(struct story *story, enum stage stage,
                                    struct str subject);
struct story_rule *story_add_rule(struct story *story,
                                  struct story_stage *stage,
                                  const struct rule *rule);
struct story_test *story_add_test(struct story *story, struct story_rule *rule);
struct story_answer *story_add_answer(struct story *story,
                                      struct story_rule *rule);
struct story_edit *story_add_edit(struct story *story, struct story_rule *rule);
void story_add_remedy(struct story *story, struct story_rule *rule,
                      struct str text);
struct story_recipient *story_add_recipient(struct story *story);
void story_add_note(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void story_add_field(struct story *story, struct str raw);

/* A copy in the story's arena; what does not fit is empty. */
struct str story_keep(struct story *story, struct str text);

/* The stage that refused; NULL: none did. Of recipients the last one, and
 * only when all were refused. */
const struct story_stage *story_refusal(const struct story *story);

/* Whether a stage refused, though the mail as a whole may be accepted: one of
 * its recipients. */
bool story_has_refusal(const struct story *story);

/* The words for programs: rewrite, header-add, … */
const char *story_edit_word(enum story_edit_kind kind);
/* The same of a rule's fate: acted, not-held, … */
const char *story_fate_word(enum rule_fate fate);

#endif
