#include "proxy/control/budgets_at_hand.h"

void budgets_open(struct budgets_at_hand *budgets, const struct controlled *c,
                  const struct limits_settings *limits)
{
    *budgets = (struct budgets_at_hand){.c = c, .limits = limits};
    if (limits->store == STORE_MEMORY)
        return;
    budgets->remote = remote_orders_new(limits);
    if (budgets->remote == NULL)
        budgets->fault = "out of memory";
}

void budgets_close(struct budgets_at_hand *budgets)
{
    remote_orders_free(budgets->remote);
}

json_t *budgets_refusal(const struct budgets_at_hand *budgets)
{
    const struct limits_settings *limits = budgets->limits;
    return control_refusal("limits.store %.*s can't be asked: %s",
                           (int)limits->store_text.n, limits->store_text.p,
                           budgets->fault);
}

bool budgets_look(struct budgets_at_hand *budgets,
                  const struct ledger_target *target, struct ledger_budget *out)
{
    bool exists = false;
    if (budgets->limits->store == STORE_MEMORY)
        return shared_ledger_look(budgets->c->ledger, target, control_now_ms(),
                                  out);
    *out = (struct ledger_budget){0};
    if (budgets->fault == NULL)
        budgets->fault =
            remote_orders_look(budgets->remote, target, &exists, out);
    return exists;
}

void budgets_reset(struct budgets_at_hand *budgets,
                   const struct ledger_target *target)
{
    if (budgets->limits->store == STORE_MEMORY)
        shared_ledger_reset(budgets->c->ledger, target, control_now_ms());
    else if (budgets->fault == NULL)
        budgets->fault = remote_orders_reset(budgets->remote, target);
}

bool budgets_boost(struct budgets_at_hand *budgets,
                   const struct ledger_target *target, uint32_t percent,
                   uint64_t for_ms)
{
    if (budgets->limits->store == STORE_MEMORY)
        return shared_ledger_boost(budgets->c->ledger, target, percent, for_ms,
                                   control_now_ms());
    if (budgets->fault == NULL)
        budgets->fault =
            remote_orders_boost(budgets->remote, target, percent, for_ms);
    return true;
}

void budgets_count(struct budgets_at_hand *budgets, uint64_t *in_use,
                   uint64_t *max)
{
    *in_use = *max = 0;
    if (budgets->limits->store == STORE_MEMORY) {
        *in_use = shared_ledger_in_use(budgets->c->ledger);
        *max = shared_ledger_max_keys(budgets->c->ledger);
    } else if (budgets->fault == NULL) {
        budgets->fault = remote_orders_count(budgets->remote, in_use);
    }
}

bool budgets_apply(struct budgets_at_hand *budgets,
                   const struct list_change *change)
{
    bool has_room = true;
    if (budgets->limits->store == STORE_MEMORY)
        return shared_ledger_apply(budgets->c->ledger, change,
                                   control_now_ms());
    if (budgets->fault == NULL)
        budgets->fault =
            remote_orders_apply(budgets->remote, change, &has_room);
    return has_room;
}

void budgets_each_listed(struct budgets_at_hand *budgets, struct str list,
                         shared_ledger_on_listed *on_listed, void *owner)
{
    if (budgets->limits->store == STORE_MEMORY)
        shared_ledger_each_listed(budgets->c->ledger, list, control_now_ms(),
                                  on_listed, owner);
    else if (budgets->fault == NULL)
        budgets->fault =
            remote_orders_each_listed(budgets->remote, list, on_listed, owner);
}
