#include "rules/ledger_entry.h"

#include "rules/ledger_budget.h"
#include "rules/ledger_internal.h"

/* No unit is counted in longer periods, nor beyond such a number. */
#define PERIOD_MAX_MS (366 * 86400000ULL)
#define UNITS_MAX (1ULL << 62)

static struct expiring_table *table_of(const struct ledger *ledger,
                                       enum ledger_entry_kind kind)
{
    switch (kind) {
    case LEDGER_BUDGET:
        return budget_table_entries(ledger->budgets);
    case LEDGER_MEMBER:
        return distinct_sets_entries(ledger->distinct);
    case LEDGER_RECIPIENT:
        return distinct_sets_entries(ledger->recipients);
    case LEDGER_NET:
        return ledger->nets;
    case LEDGER_BOOST:
        return ledger->boosts;
    default:
        return dynamic_list_entries(ledger->lists);
    }
}

static struct distinct_sets *sets_of(const struct ledger *ledger,
                                     enum ledger_entry_kind kind)
{
    return kind == LEDGER_MEMBER ? ledger->distinct : ledger->recipients;
}

static uint64_t idle_at_ms(const struct budget *budget)
{
    struct rate rate = {budget->amount, budget->scale_ms};
    return gcra_idle_at_ms(budget, &rate);
}

static bool tell_budget(const struct budget *budget, struct ledger_entry *out)
{
    if (budget->used == 0 || budget->amount == 0)
        return false;
    out->budget = *budget;
    out->budget.held = 0;
    out->until_ms = idle_at_ms(&out->budget);
    return true;
}

static bool tell_member(const struct distinct_sets *sets,
                        const struct distinct_member *member,
                        struct ledger_entry *out)
{
    if (member->set == 0 || member->is_reserved)
        return false;
    out->set = distinct_sets_key_of(sets, member);
    out->until_ms = member->until_ms;
    return true;
}

static bool tell_listed(struct dynamic_list *list, const void *payload,
                        struct ledger_entry *out)
{
    struct dynamic_value value = dynamic_list_value(list, payload);
    out->list = value.list;
    out->value = value.value;
    return true;
}

static bool tell(struct ledger *ledger, enum ledger_entry_kind kind,
                 const void *payload, struct ledger_entry *out)
{
    struct expiring_table *table = table_of(ledger, kind);
    *out = (struct ledger_entry){.kind = kind,
                                 .key = expiring_table_key(table, payload),
                                 .until_ms =
                                     expiring_table_expiry(table, payload)};
    switch (kind) {
    case LEDGER_BUDGET:
        return tell_budget(payload, out);
    case LEDGER_MEMBER:
    case LEDGER_RECIPIENT:
        return tell_member(sets_of(ledger, kind), payload, out);
    case LEDGER_LISTED:
        return tell_listed(ledger->lists, payload, out);
    case LEDGER_BOOST:
        out->boost_percent = ((const struct boost *)payload)->percent;
        return true;
    default:
        return true;
    }
}

void ledger_watch(struct ledger *ledger)
{
    for (enum ledger_entry_kind k = 0; k < LEDGER_ENTRY_KINDS; k++)
        expiring_table_watch(table_of(ledger, k));
}

bool ledger_take_change(struct ledger *ledger, struct ledger_entry *out)
{
    for (enum ledger_entry_kind k = 0; k < LEDGER_ENTRY_KINDS; k++) {
        struct expiring_table *table = table_of(ledger, k);
        for (;;) {
            const void *payload = expiring_table_take_touched(table);
            if (payload == NULL)
                break;
            if (tell(ledger, k, payload, out))
                return true;
        }
    }
    return false;
}

bool ledger_take_lost(struct ledger *ledger)
{
    return dynamic_list_take_lost(ledger->lists);
}

void ledger_lose(struct ledger *ledger)
{
    dynamic_list_lose(ledger->lists);
}

size_t ledger_entry_count(const struct ledger *ledger,
                          enum ledger_entry_kind kind)
{
    return expiring_table_count(table_of(ledger, kind));
}

bool ledger_entry_at(struct ledger *ledger, enum ledger_entry_kind kind,
                     size_t number, struct ledger_entry *out)
{
    const void *payload = expiring_table_at(table_of(ledger, kind), number);
    return tell(ledger, kind, payload, out) &&
           out->until_ms > ledger->head->latest_ms;
}

/* --- after a restart --- */

static bool is_plausible(const struct budget *budget)
{
    return budget->scale_ms > 0 && budget->scale_ms <= PERIOD_MAX_MS &&
           budget->amount > 0 && budget->amount <= UNITS_MAX &&
           budget->at_ms < UINT64_MAX &&
           budget->used <= (unsigned __int128)UNITS_MAX * budget->scale_ms;
}

static bool restore_budget(struct ledger *ledger,
                           const struct ledger_entry *entry, uint64_t now_ms)
{
    struct expiring_table *table = table_of(ledger, LEDGER_BUDGET);
    if (!is_plausible(&entry->budget))
        return false;
    if (idle_at_ms(&entry->budget) <= now_ms)
        return true;
    struct budget *budget = expiring_table_make(table, &entry->key, now_ms);
    if (budget == NULL)
        return false;
    uint64_t held = budget->held;
    *budget = entry->budget;
    budget->held = held;
    expiring_table_set(table, budget, idle_at_ms(budget));
    return true;
}

static bool restore_member(struct ledger *ledger,
                           const struct ledger_entry *entry, uint64_t now_ms)
{
    struct distinct_sets *sets = sets_of(ledger, entry->kind);
    struct distinct_member *member =
        distinct_sets_find(sets, &entry->key, now_ms);
    if (entry->until_ms <= now_ms)
        return true;
    if (member == NULL)
        member = distinct_sets_add(sets, &entry->set, &entry->key, now_ms);
    if (member == NULL)
        return false;
    distinct_sets_keep(sets, member, entry->until_ms);
    return true;
}

static bool restore_net(struct ledger *ledger, const struct ledger_entry *entry,
                        uint64_t now_ms)
{
    if (entry->until_ms == UINT64_MAX)
        return false;
    void *net = expiring_table_make_anyhow(ledger->nets, &entry->key, now_ms);
    expiring_table_set(ledger->nets, net, entry->until_ms);
    return true;
}

static bool restore_boost(struct ledger *ledger,
                          const struct ledger_entry *entry, uint64_t now_ms)
{
    struct expiring_table *boosts = ledger->boosts;
    struct boost *boost = expiring_table_find(boosts, &entry->key);
    if (entry->until_ms == UINT64_MAX ||
        entry->boost_percent < BOOST_PERCENT_MIN ||
        entry->boost_percent > BOOST_PERCENT_MAX)
        return false;
    if (boost == NULL && entry->until_ms <= now_ms)
        return true;
    boost = expiring_table_make(boosts, &entry->key, now_ms);
    if (boost == NULL)
        return false;
    boost->percent = entry->boost_percent;
    expiring_table_set(boosts, boost, entry->until_ms);
    return true;
}

static bool restore_listed(struct ledger *ledger,
                           const struct ledger_entry *entry, uint64_t now_ms)
{
    struct str parts[] = {entry->list, entry->value};
    struct dynamic_value value = {.key = expiring_key(ledger->secret, parts, 2),
                                  .list = entry->list,
                                  .value = entry->value,
                                  .until_ms = entry->until_ms};
    dynamic_list_remove(ledger->lists, &value.key);
    return entry->until_ms <= now_ms ||
           dynamic_list_add(ledger->lists, &value, now_ms);
}

bool ledger_restore(struct ledger *ledger, const struct ledger_entry *entry,
                    uint64_t now_ms)
{
    switch (entry->kind) {
    case LEDGER_BUDGET:
        return restore_budget(ledger, entry, now_ms);
    case LEDGER_MEMBER:
    case LEDGER_RECIPIENT:
        return restore_member(ledger, entry, now_ms);
    case LEDGER_NET:
        return restore_net(ledger, entry, now_ms);
    case LEDGER_BOOST:
        return restore_boost(ledger, entry, now_ms);
    default:
        return restore_listed(ledger, entry, now_ms);
    }
}

uint64_t ledger_hash_entry(const struct ledger_entry *entry,
                           const uint8_t secret[16])
{
    struct str parts[] = {entry->list, entry->value};
    switch (entry->kind) {
    case LEDGER_MEMBER:
    case LEDGER_RECIPIENT:
        return entry->set.words[0];
    case LEDGER_LISTED:
        return keyed_hash_parts(secret, parts, 2);
    default:
        return entry->key.words[0];
    }
}
