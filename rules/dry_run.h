/* Stages without a network: what policy tests, explain and replay run mails
 * through. It drives the same evaluate() as a live session, with a ledger and
 * a clock that the caller passes in. Pure memory. */
#ifndef RULES_DRY_RUN_H
#define RULES_DRY_RUN_H

#include "rules/ledger.h"

/* All borrowed. */
struct dry_run {
    const struct ruleset *rules;
    struct evaluate_scratch *scratch;
    struct ledger *ledger;
    const struct trace *trace; /* NULL: nobody listens */
    /* Answers a question in the ledger's place when it returns true; may be
     * NULL. A policy server that nobody answers for says nothing: the mail
     * goes on. */
    bool (*on_question)(void *owner, const struct question *question,
                        struct answer *answer);
    void *owner;
};

/* Runs one stage's rules and applies what they did to dynamic lists. The
 * facts and effects are the caller's, as in evaluate_start(). */
void dry_run_stage(const struct dry_run *run, enum stage stage,
                   struct facts *facts, struct effects *effects,
                   uint64_t now_ms, struct verdict *verdict);

/* Settles what a mail holds: committed, or given back. Holds of a session
 * stay. */
void dry_run_settle(const struct dry_run *run, struct effects *effects,
                    bool is_accepted, uint64_t now_ms);
/* Gives back what the recipient number `recipient` holds. */
void dry_run_settle_recipient(const struct dry_run *run,
                              struct effects *effects, size_t recipient,
                              uint64_t now_ms);
/* The session has ended. */
void dry_run_settle_session(const struct dry_run *run, struct effects *effects,
                            uint64_t now_ms);

#endif
