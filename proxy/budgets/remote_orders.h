/* What people order of the budgets and lists in a Redis: one connection, made
 * at the first order, that is waited for. Not for a thread that serves. Each
 * order gives NULL, or why it failed, in words that are valid until the next
 * one; a connection that broke is made anew by then. */
#ifndef PROXY_BUDGETS_REMOTE_ORDERS_H
#define PROXY_BUDGETS_REMOTE_ORDERS_H

#include "config/settings.h"
#include "rules/evaluate.h"
#include "rules/ledger_budget.h"

/* For connecting, and for each answer. */
#define REMOTE_ORDERS_MS 3000

struct remote_orders;

/* Settings are borrowed. NULL when out of memory. */
struct remote_orders *remote_orders_new(const struct limits_settings *settings);
void remote_orders_free(struct remote_orders *orders);
/* From now on times are as of now_ms; 0: the store's own. */
void remote_orders_set_clock(struct remote_orders *orders, uint64_t now_ms);

/* As ledger_look(), ledger_reset() and ledger_boost(). */
const char *remote_orders_look(struct remote_orders *orders,
                               const struct ledger_target *target, bool *exists,
                               struct ledger_budget *out);
const char *remote_orders_reset(struct remote_orders *orders,
                                const struct ledger_target *target);
const char *remote_orders_boost(struct remote_orders *orders,
                                const struct ledger_target *target,
                                uint32_t percent, uint64_t for_ms);
/* How many keys its database has, of whatever kind. */
const char *remote_orders_count(struct remote_orders *orders, uint64_t *keys);

/* *has_room: false when the list is full. */
const char *remote_orders_apply(struct remote_orders *orders,
                                const struct list_change *change,
                                bool *has_room);
/* Every value that the list holds now; left_ms 0: until removed. The value is
 * valid within the call. */
typedef void remote_orders_on_listed(void *owner, struct str value,
                                     uint64_t left_ms);
const char *remote_orders_each_listed(struct remote_orders *orders,
                                      struct str list,
                                      remote_orders_on_listed *on_listed,
                                      void *owner);

#endif
