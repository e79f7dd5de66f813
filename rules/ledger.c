#include "rules/ledger.h"

#include "rules/ledger_budget.h"
#include "rules/ledger_internal.h"
#include "rules/list.h"
#include "rules/ruleset.h"

#include <string.h>

#define KNOWN_MS (30 * 86400000ULL)

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

struct expiring_key ledger_budget_key(const struct ledger *ledger,
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

static struct distinct_keys distinct_keys(const struct expiring_key *budget,
                                          const struct ledger *ledger,
                                          struct str member)
{
    struct str parts[] = {
        str_span((const char *)budget->words, sizeof budget->words), member};
    return (struct distinct_keys){
        .set = *budget, .member = expiring_key(ledger->secret, parts, 2)};
}

static struct identity known_identity(struct str user, struct str net)
{
    return (struct identity){{STR("client.known"), user, net}};
}

uint64_t ledger_tick(struct ledger *ledger, uint64_t now_ms)
{
    struct ledger_head *head = ledger->head;
    if (now_ms > head->latest_ms)
        head->latest_ms = now_ms;
    return head->latest_ms;
}

static void answer_hold(struct ledger *ledger, const struct question *question,
                        uint64_t now_ms, struct answer *answer)
{
    struct gcra_result result;
    struct question boosted;
    struct expiring_key key = ledger_budget_key(ledger, question->rule,
                                                question->limit, question->key);
    question = ledger_boost_question(ledger, question, &key, now_ms, &boosted);
    if (ledger_is_distinct(question->limit, question->member)) {
        struct distinct_keys keys =
            distinct_keys(&key, ledger, question->member);
        ledger_distinct_answer(ledger, question, &keys, now_ms, &result);
    } else if (question->is_charge)
        budget_table_charge(ledger->budgets, &key, &question->rate,
                            question->max, question->cost, now_ms, &result);
    else
        budget_table_hold(ledger->budgets, &key, &question->rate, question->max,
                          question->cost, ledger->slot, now_ms, &result);
    *answer = (struct answer){.is_within = result.is_within,
                              .max = question->max,
                              .before = result.before,
                              .after = result.after,
                              .retry_after_ms = result.retry_after_ms,
                              .is_held_up = result.is_held_up};
}

void ledger_answer(struct ledger *ledger, const struct question *question,
                   uint64_t now_ms, struct answer *answer)
{
    now_ms = ledger_tick(ledger, now_ms);
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
        ledger_budget_key(ledger, hold->rule, hold->limit, hold->key);
    now_ms = ledger_tick(ledger, now_ms);
    hold->rate = ledger_boost_rate(ledger, hold->rate, &key, now_ms);
    hold->is_settled = true;
    if (ledger_is_distinct(hold->limit, hold->member)) {
        struct distinct_keys keys = distinct_keys(&key, ledger, hold->member);
        ledger_distinct_commit(ledger, hold, &keys, now_ms);
        return;
    }
    budget_table_commit(ledger->budgets, &key, &hold->rate, hold->cost,
                        hold->charge, ledger->slot, now_ms);
}

void ledger_give_back(struct ledger *ledger, struct hold *hold, uint64_t now_ms)
{
    if (hold->is_settled)
        return;
    struct expiring_key key =
        ledger_budget_key(ledger, hold->rule, hold->limit, hold->key);
    now_ms = ledger_tick(ledger, now_ms);
    hold->rate = ledger_boost_rate(ledger, hold->rate, &key, now_ms);
    hold->is_settled = true;
    if (ledger_is_distinct(hold->limit, hold->member)) {
        struct distinct_keys keys = distinct_keys(&key, ledger, hold->member);
        ledger_distinct_give_back(ledger, hold, &keys, now_ms);
        return;
    }
    budget_table_give_back(ledger->budgets, &key, &hold->rate, hold->cost,
                           ledger->slot);
}

void ledger_forget_slot(struct ledger *ledger, unsigned slot)
{
    ledger_distinct_pass_on(ledger, slot);
    budget_table_forget_slot(ledger->budgets, slot);
    distinct_sets_forget_slot(ledger->distinct, slot, ledger->head->latest_ms);
    distinct_sets_forget_slot(ledger->recipients, slot,
                              ledger->head->latest_ms);
}

bool ledger_apply(struct ledger *ledger, const struct list_change *change,
                  uint64_t now_ms)
{
    struct dynamic_value value = {
        .key = list_key(ledger, change->list, change->value),
        .list = change->list->name,
        .value = change->value,
        .until_ms = UINT64_MAX};
    now_ms = ledger_tick(ledger, now_ms);
    if (change->is_removal) {
        dynamic_list_remove(ledger->lists, &value.key);
        return true;
    }
    if (change->for_ms != 0 && change->for_ms < UINT64_MAX - now_ms)
        value.until_ms = now_ms + change->for_ms;
    return dynamic_list_add(ledger->lists, &value, now_ms);
}

static struct expiring_key known_key(const struct ledger *ledger,
                                     struct str user, struct str net)
{
    struct identity identity = known_identity(user, net);
    return expiring_key(ledger->secret, identity.parts, 3);
}

bool ledger_knows(struct ledger *ledger, struct str user, struct str net,
                  uint64_t now_ms)
{
    struct expiring_key key = known_key(ledger, user, net);
    const void *entry = expiring_table_find(ledger->nets, &key);
    now_ms = ledger_tick(ledger, now_ms);
    return entry != NULL && expiring_table_expiry(ledger->nets, entry) > now_ms;
}

void ledger_know(struct ledger *ledger, struct str user, struct str net,
                 uint64_t now_ms)
{
    struct expiring_key key = known_key(ledger, user, net);
    now_ms = ledger_tick(ledger, now_ms);
    void *entry = expiring_table_make_anyhow(ledger->nets, &key, now_ms);
    expiring_table_set(ledger->nets, entry, now_ms + KNOWN_MS);
    expiring_table_touch(ledger->nets, entry);
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

uint64_t ledger_hash_target(const struct ledger_target *target,
                            const uint8_t secret[16])
{
    struct identity identity =
        identity_of(target->rule, target->limit, target->key);
    return keyed_hash_parts(secret, identity.parts, 3);
}

uint64_t ledger_hash_known(struct str user, struct str net,
                           const uint8_t secret[16])
{
    struct identity identity = known_identity(user, net);
    return keyed_hash_parts(secret, identity.parts, 3);
}
