/* Evaluation of one stage: a resumable pure machine. It returns a verdict, or
 * a question that its caller answers before going on. No I/O, no clock: time
 * comes in with the facts and with the answers.
 *
 *     evaluate_start(&e, ruleset, STAGE_MAIL, &facts, &effects, scratch);
 *     while (evaluate(&e, &question, &verdict) == EVALUATE_QUESTION) {
 *         ...find the answer, now or later...
 *         evaluate_answer(&e, &answer);
 *     }
 *
 * Texts of verdict and effects lie in the arena of `effects`. */
#ifndef RULES_EVALUATE_H
#define RULES_EVALUATE_H

#include "rules/effects.h"
#include "rules/rule_index.h"

struct limit_figures;
struct evaluate_scratch; /* match data and JIT stack; one a worker thread */
struct ruleset;
struct trace;

enum verdict_kind {
    VERDICT_PASS,   /* no rule refused */
    VERDICT_REJECT, /* 5yz */
    VERDICT_DEFER,  /* 4yz */
    VERDICT_CLOSE,  /* 421, then close */
    VERDICT_FAULT   /* ours: a regex hit its limit, an arena is full: 451 */
};

struct verdict {
    enum verdict_kind kind;
    int code;                /* of the reply, 0 for VERDICT_PASS */
    struct str enhanced;     /* "5.7.1" */
    struct str text;         /* without code, enhanced code and id */
    const struct rule *rule; /* that decided; NULL for PASS */
    const char *fault;       /* VERDICT_FAULT: what broke, for the log */
};

enum question_kind {
    QUESTION_HOLD,   /* does `cost` fit? then reserve (or charge) it */
    QUESTION_LISTED, /* does a dynamic list hold `value` now? */
    QUESTION_ASK     /* what does the policy server `server` say? */
};

struct question {
    enum question_kind kind;
    const struct rule *rule;
    const struct limit *limit; /* HOLD */
    struct str key;            /* HOLD */
    uint64_t cost;             /* HOLD */
    uint64_t max;              /* HOLD: burst */
    struct rate rate;          /* HOLD: what refills; no period: held only */
    bool is_paced;             /* HOLD: who asks may wait until it fits,
                                  before the rule refuses */
    bool is_charge;            /* HOLD: commit at once; never refuses, only
                                  says whether the limit is exceeded */
    struct str member;         /* HOLD of a distinct unit: what counts once,
                                  canonical; p is NULL: not such a unit */
    const struct list *list;   /* LISTED */
    struct str value;          /* LISTED: canonical */
    struct str server;         /* ASK: of policy_servers */
    bool is_shadow;            /* of a rule that only pretends */
};

struct answer {
    bool is_within; /* HOLD: it fitted and is reserved or charged */
    uint64_t before, after;
    uint64_t max; /* HOLD: that counts now, were the key boosted; 0: as asked */
    uint64_t retry_after_ms;
    bool is_held_up;   /* HOLD: what others hold is in the way, and when that
                          ends is not known: retry_after_ms is a guess */
    uint64_t token;    /* HOLD: who settles it needs this; 0: the local ledger
                          answered, or there is nothing to settle */
    uint64_t paced_ms; /* HOLD: how long it was waited for */
    bool is_listed;    /* LISTED */
    struct str action; /* ASK: what stands behind `action=`; valid until
                          evaluate() returns. p is NULL: there is no answer,
                          and the server's on_failure is `defer` */
};

enum evaluate_result { EVALUATE_VERDICT, EVALUATE_QUESTION };

/* Private but for its size: it lives in the caller. */
struct evaluation {
    const struct ruleset *ruleset;
    enum stage stage;
    struct facts *facts;
    struct effects *effects;
    struct evaluate_scratch *scratch;
    const struct trace *trace; /* NULL: nobody listens */
    int phase;
    size_t next_correction; /* of effects->holds */
    size_t next_rule;
    struct rule_cursor cursor;
    uint64_t number; /* of the scratch's evaluations */
    const struct rule *rule;
    const struct captures *captures; /* of `rule`, kept over a question */
    bool *listed;                    /* answers about dynamic lists */
    size_t listed_count;
    /* Of a rule that asks a policy server, kept over the question. */
    const struct limit_figures *figures;
    int phase_after_ask;
    /* What a policy server wants said if this stage rejects, or passes. */
    const struct verdict *if_reject, *if_permit;
    struct question pending;
    struct answer answer;
    const char *fault;
};

struct evaluate_scratch *evaluate_scratch_new(void);
/* How many steps a pattern may take on a text, as caps.pattern_steps says. */
void evaluate_scratch_limit(struct evaluate_scratch *scratch,
                            uint64_t pattern_steps);
void evaluate_scratch_free(struct evaluate_scratch *scratch);

void evaluate_start(struct evaluation *e, const struct ruleset *ruleset,
                    enum stage stage, struct facts *facts,
                    struct effects *effects, struct evaluate_scratch *scratch);
/* Tells each step from now on. The trace must outlive the evaluation. */
void evaluate_trace(struct evaluation *e, const struct trace *trace);
enum evaluate_result evaluate(struct evaluation *e, struct question *question,
                              struct verdict *verdict);
void evaluate_answer(struct evaluation *e, const struct answer *answer);

/* The verdict of effects->size_rule, when the streamed octets, of which there
 * were `octets` by then, pass its maximum: what the rule would have said at
 * its own stage. */
void evaluate_exceeded(struct facts *facts, struct effects *effects,
                       struct evaluate_scratch *scratch, uint64_t octets,
                       struct verdict *verdict);

#endif
