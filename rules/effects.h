/* What rules have done so far in one transaction (or, for connect, helo and
 * auth, in one session): the evaluation appends, the session acts on it. All
 * memory is the arena's, which must outlive the struct. */
#ifndef RULES_EFFECTS_H
#define RULES_EFFECTS_H

#include "rules/base/arena.h"
#include "rules/header_fields.h"
#include "rules/quantity.h"
#include "rules/stage.h"

struct captures;
struct limit;
struct list;
struct rule;

/* When what a hold reserved is settled. */
enum hold_scope {
    HOLD_TRANSACTION, /* committed if the message is accepted, else given
                         back */
    HOLD_RECIPIENT,   /* the same, and given back if this one is refused */
    HOLD_SESSION,     /* `connections` without a period: given back at end */
    HOLD_CHARGED      /* committed at once: nothing to settle */
};

/* One reservation, beside a bucket. The session settles it: ledger_commit()
 * or ledger_give_back(), once. */
struct hold {
    const struct limit *limit;
    const struct rule *rule;
    struct str key;
    struct str member; /* of a distinct unit; p is NULL: not such a one */
    uint64_t cost;     /* what is held */
    uint64_t charge;   /* what a commit adds: cost, or less of it */
    uint64_t max;      /* burst */
    struct rate rate;
    enum hold_scope scope;
    size_t recipient; /* HOLD_RECIPIENT: rcpt.count - 1 at the time */
    bool is_settled;
    bool is_excess; /* what a message has beyond what was declared, held
                       elsewhere than that */
    uint64_t token; /* which reservation it is, where it is not the local
                       ledger's; 0: it is */
    const struct captures *captures; /* the evaluation's own */
};

/* A rule that acted, for the log: `did` is the action's word. */
struct acted {
    enum stage stage;
    const struct rule *rule;
    const char *did;
    bool is_shadow; /* mode: shadow: what it would have done */
};

/* A limit that was asked, for the log. */
struct limit_use {
    const struct rule *rule;
    struct str key;
    uint64_t before, after, max;
    uint64_t retry_after_ms; /* when it was not within */
    uint64_t paced_ms;       /* how long it was waited for */
    bool is_within;
    bool is_warning;   /* it passed the rule's `warn` with this use */
    bool is_unwritten; /* the session has not yet logged the warning */
};

/* One more recipient, asked of the upstream before DATA with NOTIFY=NEVER. */
struct added_recipient {
    struct str address; /* validated as if the client had given it */
    bool is_required;   /* refused: 451 at end of data; else only logged */
};

struct list_change {
    const struct list *list;
    struct str value;
    uint64_t for_ms; /* 0: until removed */
    bool is_removal;
};

/* Each array grows in the arena. */
struct effects {
    struct arena *arena;
    struct acted *acted;
    size_t acted_count, acted_capacity;
    struct limit_use *uses;
    size_t use_count, use_capacity;
    struct hold *holds;
    size_t hold_count, hold_capacity;
    struct header_edit *edits; /* asked before the header stage */
    size_t edit_count, edit_capacity;
    struct list_change *list_changes; /* the session applies and empties */
    size_t list_change_count, list_change_capacity;
    struct str *tags;
    size_t tag_count, tag_capacity;
    struct str *notes;
    size_t note_count, note_capacity;
    struct added_recipient *added;
    size_t added_count, added_capacity;
    /* How long the answer of this stage is held, in all; the session takes it
     * and sets it to 0. */
    uint64_t delay_ms;
    struct str route; /* n is 0: the default */
    /* The smallest `size` limit that a rule of mail or data put on this
     * message; size_rule NULL: none. On passing it the session calls
     * evaluate_exceeded(). */
    uint64_t size_max;
    const struct rule *size_rule;
    const struct captures *size_captures; /* the evaluation's own */
};

/* Clients give up after five minutes (RFC 5321 4.5.3.2), and the upstream
 * takes its share of them. */
#define EFFECTS_DELAY_MS_MAX ((uint64_t)4 * 60 * 1000)
#define EFFECTS_ADDED_MAX 100

void effects_init(struct effects *effects, struct arena *arena);

/* Each appends a copy of the struct, not of the texts in it. 0, or -1 when
 * the arena is full. */
int effects_add_acted(struct effects *effects, const struct acted *acted);
int effects_add_use(struct effects *effects, const struct limit_use *use);
int effects_add_hold(struct effects *effects, const struct hold *hold);
int effects_add_edit(struct effects *effects, const struct header_edit *edit);
int effects_add_list_change(struct effects *effects,
                            const struct list_change *change);
int effects_add_tag(struct effects *effects, struct str tag);
int effects_add_note(struct effects *effects, struct str note);
/* An address that is there already is not added again; it is required if one
 * of them is. -2: there are EFFECTS_ADDED_MAX of them. */
int effects_add_recipient(struct effects *effects,
                          const struct added_recipient *added);
/* Adds up to EFFECTS_DELAY_MS_MAX at most. */
void effects_add_delay(struct effects *effects, uint64_t ms);

#endif
