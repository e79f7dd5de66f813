#include "rules/ledger.h"

#include "rules/ledger_internal.h"
#include "rules/list.h"
#include "rules/ruleset.h"

#include <stdlib.h>
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

static size_t lists_max(size_t max_keys)
{
    return max_keys / 8 + 64;
}

size_t ledger_octets(size_t max_keys)
{
    return sizeof(struct ledger_head) + budget_table_octets(max_keys) +
           distinct_sets_octets(max_keys) + distinct_sets_octets(2 * max_keys) +
           dynamic_list_octets(lists_max(max_keys)) +
           expiring_table_octets(max_keys, 1);
}

static bool place_tables(struct ledger *ledger, size_t max_keys)
{
    char *at = (char *)(ledger->head + 1);
    ledger->budgets = budget_table_place(at, max_keys);
    at += budget_table_octets(max_keys);
    ledger->distinct = distinct_sets_place(at, max_keys, DISTINCT_REFUSES);
    at += distinct_sets_octets(max_keys);
    ledger->recipients =
        distinct_sets_place(at, 2 * max_keys, DISTINCT_FORGETS);
    at += distinct_sets_octets(2 * max_keys);
    ledger->lists = dynamic_list_place(at, lists_max(max_keys));
    at += dynamic_list_octets(lists_max(max_keys));
    ledger->nets = expiring_table_place(at, max_keys, 1);
    return ledger->budgets != NULL && ledger->distinct != NULL &&
           ledger->recipients != NULL && ledger->lists != NULL &&
           ledger->nets != NULL;
}

static bool make_tables(struct ledger *ledger, size_t max_keys)
{
    ledger->budgets = budget_table_new(max_keys);
    ledger->distinct = distinct_sets_new(max_keys, DISTINCT_REFUSES);
    ledger->recipients = distinct_sets_new(2 * max_keys, DISTINCT_FORGETS);
    ledger->lists = dynamic_list_new(lists_max(max_keys));
    ledger->nets = expiring_table_new(max_keys, 1);
    return ledger->budgets != NULL && ledger->distinct != NULL &&
           ledger->recipients != NULL && ledger->lists != NULL &&
           ledger->nets != NULL;
}

struct ledger *ledger_place(void *memory, size_t max_keys,
                            const uint8_t secret[16], unsigned slot)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    memcpy(ledger->secret, secret, sizeof ledger->secret);
    ledger->slot = slot;
    ledger->head = memory;
    if (!place_tables(ledger, max_keys)) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

/* A piece of memory for each table: a kernel may refuse one that is larger
 * than what the machine has, untouched or not. */
struct ledger *ledger_new(size_t max_keys, const uint8_t secret[16])
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    memcpy(ledger->secret, secret, sizeof ledger->secret);
    ledger->head = zeroed_block_new(sizeof *ledger->head, &ledger->owned);
    if (ledger->head == NULL || !make_tables(ledger, max_keys)) {
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
    distinct_sets_free(ledger->distinct);
    distinct_sets_free(ledger->recipients);
    dynamic_list_free(ledger->lists);
    expiring_table_free(ledger->nets);
    explicit_bzero(ledger->secret, sizeof ledger->secret);
    free(ledger->owned);
    free(ledger);
}

/* The time, which never goes back. */
static uint64_t tick(struct ledger *ledger, uint64_t now_ms)
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
    struct expiring_key key =
        budget_key(ledger, question->rule, question->limit, question->key);
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
                              .before = result.before,
                              .after = result.after,
                              .retry_after_ms = result.retry_after_ms,
                              .is_held_up = result.is_held_up};
}

void ledger_answer(struct ledger *ledger, const struct question *question,
                   uint64_t now_ms, struct answer *answer)
{
    now_ms = tick(ledger, now_ms);
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
    now_ms = tick(ledger, now_ms);
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
        budget_key(ledger, hold->rule, hold->limit, hold->key);
    now_ms = tick(ledger, now_ms);
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
    now_ms = tick(ledger, now_ms);
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
    now_ms = tick(ledger, now_ms);
    return entry != NULL && expiring_table_expiry(ledger->nets, entry) > now_ms;
}

void ledger_know(struct ledger *ledger, struct str user, struct str net,
                 uint64_t now_ms)
{
    struct expiring_key key = known_key(ledger, user, net);
    now_ms = tick(ledger, now_ms);
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

uint64_t ledger_hash_known(struct str user, struct str net,
                           const uint8_t secret[16])
{
    struct identity identity = known_identity(user, net);
    return keyed_hash_parts(secret, identity.parts, 3);
}
