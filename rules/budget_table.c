#include "rules/budget_table.h"

#include <stdlib.h>

#define FULL_RETRY_MS 1000

struct budget_table {
    struct expiring_table *entries;
};

struct slot_budget {
    struct budget budget;
    struct slot_counts held; /* of budget.held */
};

static struct budget_table *over(struct expiring_table *entries)
{
    struct budget_table *table = calloc(1, sizeof *table);
    if (table == NULL || entries == NULL) {
        expiring_table_free(entries);
        free(table);
        return NULL;
    }
    table->entries = entries;
    return table;
}

struct budget_table *budget_table_new(size_t max)
{
    return over(expiring_table_new(max, sizeof(struct slot_budget)));
}

size_t budget_table_octets(size_t max)
{
    return expiring_table_octets(max, sizeof(struct slot_budget));
}

struct budget_table *budget_table_place(void *memory, size_t max)
{
    return over(expiring_table_place(memory, max, sizeof(struct slot_budget)));
}

void budget_table_free(struct budget_table *table)
{
    if (table == NULL)
        return;
    expiring_table_free(table->entries);
    free(table);
}

static void keep(struct budget_table *table, struct budget *budget,
                 const struct rate *rate)
{
    expiring_table_set(table->entries, budget, gcra_idle_at_ms(budget, rate));
}

static void refuse(uint64_t burst, struct gcra_result *result)
{
    *result = (struct gcra_result){
        .before = burst, .after = burst, .retry_after_ms = FULL_RETRY_MS};
}

void budget_table_hold(struct budget_table *table,
                       const struct expiring_key *key, const struct rate *rate,
                       uint64_t burst, uint64_t cost, unsigned slot,
                       uint64_t now_ms, struct gcra_result *result)
{
    struct slot_budget *budget =
        expiring_table_make(table->entries, key, now_ms);
    if (budget == NULL) {
        refuse(burst, result);
        return;
    }
    gcra_hold(&budget->budget, rate, burst, cost, now_ms, result);
    if (result->is_within)
        slot_counts_add(&budget->held, slot, cost);
    keep(table, &budget->budget, rate);
}

void budget_table_charge(struct budget_table *table,
                         const struct expiring_key *key,
                         const struct rate *rate, uint64_t burst, uint64_t cost,
                         uint64_t now_ms, struct gcra_result *result)
{
    struct budget *budget = expiring_table_make(table->entries, key, now_ms);
    if (budget == NULL) {
        refuse(burst, result);
        return;
    }
    gcra_charge(budget, rate, burst, cost, now_ms, result);
    keep(table, budget, rate);
    expiring_table_touch(table->entries, budget);
}

void budget_table_commit(struct budget_table *table,
                         const struct expiring_key *key,
                         const struct rate *rate, uint64_t held,
                         uint64_t charge, unsigned slot, uint64_t now_ms)
{
    /* A hold of nothing may have been forgotten since. */
    struct slot_budget *budget =
        expiring_table_make(table->entries, key, now_ms);
    if (budget == NULL)
        return;
    gcra_commit(&budget->budget, rate, held, charge, now_ms);
    slot_counts_lower(&budget->held, slot, held);
    keep(table, &budget->budget, rate);
    expiring_table_touch(table->entries, budget);
}

void budget_table_give_back(struct budget_table *table,
                            const struct expiring_key *key,
                            const struct rate *rate, uint64_t held,
                            unsigned slot)
{
    struct slot_budget *budget = expiring_table_find(table->entries, key);
    if (budget == NULL)
        return;
    gcra_give_back(&budget->budget, held);
    slot_counts_lower(&budget->held, slot, held);
    keep(table, &budget->budget, rate);
}

void budget_table_pass_on(struct budget_table *table,
                          const struct expiring_key *key, unsigned from,
                          unsigned to)
{
    struct slot_budget *budget = expiring_table_find(table->entries, key);
    if (budget == NULL || budget->held.of[from] == 0)
        return;
    slot_counts_lower(&budget->held, from, 1);
    slot_counts_add(&budget->held, to, 1);
}

void budget_table_forget_slot(struct budget_table *table, unsigned slot)
{
    size_t count = expiring_table_count(table->entries);
    for (size_t i = 0; i < count; i++) {
        struct slot_budget *budget = expiring_table_at(table->entries, i);
        uint32_t held = slot_counts_take(&budget->held, slot);
        if (held == 0)
            continue;
        struct rate rate = {budget->budget.amount, budget->budget.scale_ms};
        gcra_give_back(&budget->budget, held);
        keep(table, &budget->budget, &rate);
    }
}

uint64_t budget_table_used(struct budget_table *table,
                           const struct expiring_key *key,
                           const struct rate *rate, uint64_t now_ms)
{
    struct gcra_result result;
    struct budget *budget = expiring_table_find(table->entries, key);
    if (budget == NULL)
        return 0;
    gcra_hold(budget, rate, rate->amount, 0, now_ms, &result);
    return result.before;
}

struct expiring_table *budget_table_entries(struct budget_table *table)
{
    return table->entries;
}
