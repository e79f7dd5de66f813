#include "rules/budget_table.h"

#include <stdlib.h>

#define FULL_RETRY_MS 1000

struct budget_table {
    struct expiring_table *entries;
};

struct budget_table *budget_table_new(size_t max)
{
    struct budget_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->entries = expiring_table_new(max, sizeof(struct budget));
    if (table->entries == NULL) {
        free(table);
        return NULL;
    }
    return table;
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
                       uint64_t burst, uint64_t cost, uint64_t now_ms,
                       struct gcra_result *result)
{
    struct budget *budget = expiring_table_make(table->entries, key, now_ms);
    if (budget == NULL) {
        refuse(burst, result);
        return;
    }
    gcra_hold(budget, rate, burst, cost, now_ms, result);
    keep(table, budget, rate);
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
                         uint64_t charge, uint64_t now_ms)
{
    /* A hold of nothing may have been forgotten since. */
    struct budget *budget = expiring_table_make(table->entries, key, now_ms);
    if (budget == NULL)
        return;
    gcra_commit(budget, rate, held, charge, now_ms);
    keep(table, budget, rate);
    expiring_table_touch(table->entries, budget);
}

void budget_table_give_back(struct budget_table *table,
                            const struct expiring_key *key,
                            const struct rate *rate, uint64_t held)
{
    struct budget *budget = expiring_table_find(table->entries, key);
    if (budget == NULL)
        return;
    gcra_give_back(budget, held);
    keep(table, budget, rate);
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
