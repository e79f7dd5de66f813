/* What any ledger promises, as plays against a model: never more at once than
 * the burst, never more within a period than burst and amount, and what fits
 * is let through. A play fails its test where the ledger breaks it. */
#ifndef TESTS_SUPPORT_LEDGER_PROMISE_H
#define TESTS_SUPPORT_LEDGER_PROMISE_H

#include "rules/evaluate.h"

#define PROMISE_STEPS_MAX 4000

/* A ledger that is empty: the server's own, or one that is shared. The time
 * is as of the play's clock, which may go back. */
struct played_ledger {
    void *owner;
    void (*answer)(void *owner, const struct question *question,
                   uint64_t now_ms, struct answer *answer);
    void (*commit)(void *owner, struct hold *hold, uint64_t now_ms);
    void (*give_back)(void *owner, struct hold *hold, uint64_t now_ms);
};

enum promise_of { PROMISE_HOLDS, PROMISE_CHARGES, PROMISE_BOTH };

void ledger_promise_play(const struct played_ledger *ledger, unsigned seed,
                         enum promise_of kind, size_t steps);

#endif
