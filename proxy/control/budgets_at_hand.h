/* The budgets and lists that orders act on: the server's own memory, or the
 * store that several servers share. Of one order. Once an order to the store
 * has failed, none that follow are carried out, and `fault` has the words. */
#ifndef PROXY_CONTROL_BUDGETS_AT_HAND_H
#define PROXY_CONTROL_BUDGETS_AT_HAND_H

#include "proxy/budgets/remote_orders.h"
#include "proxy/control/control_verbs.h"

struct budgets_at_hand {
    const struct controlled *c;
    const struct limits_settings *limits; /* borrowed */
    struct remote_orders *remote;         /* NULL: the server's own */
    const char *fault;                    /* NULL: none so far */
};

/* `limits` as they were read the last time. */
void budgets_open(struct budgets_at_hand *budgets, const struct controlled *c,
                  const struct limits_settings *limits);
void budgets_close(struct budgets_at_hand *budgets);
/* An answer that says why the store can't be asked. */
json_t *budgets_refusal(const struct budgets_at_hand *budgets);

/* As in shared_ledger.h. */
bool budgets_look(struct budgets_at_hand *budgets,
                  const struct ledger_target *target,
                  struct ledger_budget *out);
void budgets_reset(struct budgets_at_hand *budgets,
                   const struct ledger_target *target);
bool budgets_boost(struct budgets_at_hand *budgets,
                   const struct ledger_target *target, uint32_t percent,
                   uint64_t for_ms);
/* *max: 0 where there is no bound of ours. */
void budgets_count(struct budgets_at_hand *budgets, uint64_t *in_use,
                   uint64_t *max);
bool budgets_apply(struct budgets_at_hand *budgets,
                   const struct list_change *change);
void budgets_each_listed(struct budgets_at_hand *budgets, struct str list,
                         shared_ledger_on_listed *on_listed, void *owner);

#endif
