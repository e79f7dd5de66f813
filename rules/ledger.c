#include "rules/ledger.h"

#include "rules/address.h"
#include "rules/budget_table.h"
#include "rules/dynamic_list.h"
#include "rules/limit.h"
#include "rules/list.h"
#include "rules/ruleset.h"

#include <stdlib.h>
#include <string.h>

struct ledger {
    uint8_t secret[KEYED_HASH_SECRET];
    struct budget_table *budgets;
    struct dynamic_list *lists;
};

/* Budgets are kept by rule name and unit, so that they outlive a reload. */
struct identity {
    struct str parts[3];
};

static struct identity identity_of(const struct rule *rule,
                                   const struct limit *limit, struct str key)
{
    struct str unit = str_from(unit_row(limit->unit)->name);
    return (struct identity){{rule_name(rule), unit, key}};
}

static struct expiring_key budget_key(const struct ledger *ledger,
                                      const struct rule *rule,
                                      const struct limit *limit, struct str key)
{
    struct identity identity = identity_of(rule, limit, key);
    return expiring_key(ledger->secret, identity.parts, 3);
}

static struct expiring_key list_key(const struct ledger *ledger,
                                    const struct list *list, struct str value)
{
    struct str parts[] = {list->name, value};
    return expiring_key(ledger->secret, parts, 2);
}

struct ledger *ledger_new(size_t max_keys, const uint8_t secret[16])
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    memcpy(ledger->secret, secret, sizeof ledger->secret);
    ledger->budgets = budget_table_new(max_keys);
    ledger->lists = dynamic_list_new(max_keys);
    if (ledger->budgets == NULL || ledger->lists == NULL) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    budget_table_free(ledger->budgets);
    dynamic_list_free(ledger->lists);
    explicit_bzero(ledger->secret, sizeof ledger->secret);
    free(ledger);
}

static void answer_hold(struct ledger *ledger, const struct question *question,
                        uint64_t now_ms, struct answer *answer)
{
    struct gcra_result result;
    struct expiring_key key =
        budget_key(ledger, question->rule, question->limit, question->key);
    if (question->is_charge)
        budget_table_charge(ledger->budgets, &key, &question->rate,
                            question->max, question->cost, now_ms, &result);
    else
        budget_table_hold(ledger->budgets, &key, &question->rate, question->max,
                          question->cost, now_ms, &result);
    *answer = (struct answer){.is_within = result.is_within,
                              .before = result.before,
                              .after = result.after,
                              .retry_after_ms = result.retry_after_ms};
}

void ledger_answer(struct ledger *ledger, const struct question *question,
                   uint64_t now_ms, struct answer *answer)
{
    if (question->kind == QUESTION_HOLD) {
        answer_hold(ledger, question, now_ms, answer);
        return;
    }
    struct expiring_key key = list_key(ledger, question->list, question->value);
    *answer = (struct answer){
        .is_listed = dynamic_list_holds(ledger->lists, &key, now_ms)};
}

void ledger_commit(struct ledger *ledger, struct hold *hold, uint64_t now_ms)
{
    if (hold->is_settled)
        return;
    struct expiring_key key =
        budget_key(ledger, hold->rule, hold->limit, hold->key);
    hold->is_settled = true;
    budget_table_commit(ledger->budgets, &key, &hold->rate, hold->cost,
                        hold->charge, now_ms);
}

void ledger_give_back(struct ledger *ledger, struct hold *hold, uint64_t now_ms)
{
    (void)now_ms;
    if (hold->is_settled)
        return;
    struct expiring_key key =
        budget_key(ledger, hold->rule, hold->limit, hold->key);
    hold->is_settled = true;
    budget_table_give_back(ledger->budgets, &key, &hold->rate, hold->cost);
}

bool ledger_apply(struct ledger *ledger, const struct list_change *change,
                  uint64_t now_ms)
{
    struct expiring_key key = list_key(ledger, change->list, change->value);
    if (!change->is_removal)
        return dynamic_list_add(ledger->lists, &key, change->for_ms, now_ms);
    dynamic_list_remove(ledger->lists, &key);
    return true;
}

uint64_t ledger_hash_question(const struct question *question,
                              const uint8_t secret[16])
{
    if (question->kind == QUESTION_LISTED) {
        struct str parts[] = {question->list->name, question->value};
        return keyed_hash_parts(secret, parts, 2);
    }
    struct identity identity =
        identity_of(question->rule, question->limit, question->key);
    return keyed_hash_parts(secret, identity.parts, 3);
}

uint64_t ledger_hash_hold(const struct hold *hold, const uint8_t secret[16])
{
    struct identity identity = identity_of(hold->rule, hold->limit, hold->key);
    return keyed_hash_parts(secret, identity.parts, 3);
}
