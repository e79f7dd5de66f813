/* Key → budget, bounded. A key that is still in debt or holding is never
 * forgotten; when all are, a new key gets no room and is refused for a
 * second: an attacker who fills the table gains nothing by it. */
#ifndef RULES_BUDGET_TABLE_H
#define RULES_BUDGET_TABLE_H

#include "rules/expiring_table.h"
#include "rules/gcra.h"
#include "rules/slot_counts.h"

struct budget_table;

struct budget_table *budget_table_new(size_t max);
/* As expiring_table_place(). */
size_t budget_table_octets(size_t max);
struct budget_table *budget_table_place(void *memory, size_t max);
void budget_table_free(struct budget_table *table);

/* `slot`: on whose behalf it is held. */
void budget_table_hold(struct budget_table *table,
                       const struct expiring_key *key, const struct rate *rate,
                       uint64_t burst, uint64_t cost, unsigned slot,
                       uint64_t now_ms, struct gcra_result *result);
void budget_table_charge(struct budget_table *table,
                         const struct expiring_key *key,
                         const struct rate *rate, uint64_t burst, uint64_t cost,
                         uint64_t now_ms, struct gcra_result *result);
void budget_table_commit(struct budget_table *table,
                         const struct expiring_key *key,
                         const struct rate *rate, uint64_t held,
                         uint64_t charge, unsigned slot, uint64_t now_ms);
void budget_table_give_back(struct budget_table *table,
                            const struct expiring_key *key,
                            const struct rate *rate, uint64_t held,
                            unsigned slot);
/* From now on one unit is held on behalf of another slot. */
void budget_table_pass_on(struct budget_table *table,
                          const struct expiring_key *key, unsigned from,
                          unsigned to);
/* Gives back all that a slot holds. */
void budget_table_forget_slot(struct budget_table *table, unsigned slot);

/* What is used and held now; 0 for a key that was never used. */
uint64_t budget_table_used(struct budget_table *table,
                           const struct expiring_key *key,
                           const struct rate *rate, uint64_t now_ms);

/* Each payload begins with a struct budget. A change of what is used touches
 * it. */
struct expiring_table *budget_table_entries(struct budget_table *table);

#endif
