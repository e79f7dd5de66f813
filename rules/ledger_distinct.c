/* The units that count what is distinct. Networks and logins: how many are in
 * the set is all. New recipients: one that is not in the set costs 1 of a
 * budget. What two transactions hold at once is reserved by the first and
 * settled by whichever commits first, or else by the last that gives back. */
#include "rules/ledger_internal.h"

#define DAY_MS 86400000ULL
#define WRITTEN_TO_MS (90 * DAY_MS)
/* When all who are in the way are only held, nobody knows how long. */
#define HELD_RETRY_MS 1000

bool ledger_is_distinct(const struct limit *limit, struct str member)
{
    return member.p != NULL &&
           (limit->unit == UNIT_NETWORKS || limit->unit == UNIT_LOGINS ||
            limit->unit == UNIT_NEW_RECIPIENTS);
}

static uint64_t after(uint64_t now_ms, uint64_t wait_ms)
{
    return wait_ms > UINT64_MAX - 1 - now_ms ? UINT64_MAX - 1
                                             : now_ms + wait_ms;
}

/* --- networks, logins --- */

static uint64_t retry_after_ms(struct ledger *ledger,
                               const struct distinct_keys *keys, uint64_t max,
                               uint64_t now_ms)
{
    uint64_t at = distinct_sets_falls_at_ms(ledger->distinct, &keys->set, max);
    return at > now_ms ? at - now_ms : HELD_RETRY_MS;
}

static void take(struct ledger *ledger, const struct question *question,
                 struct distinct_member *member, uint64_t now_ms)
{
    if (question->is_charge)
        distinct_sets_keep(ledger->distinct, member,
                           after(now_ms, question->rate.period_ms));
    else
        distinct_sets_hold(ledger->distinct, member, ledger->slot);
}

static void answer_counted(struct ledger *ledger,
                           const struct question *question,
                           const struct distinct_keys *keys, uint64_t now_ms,
                           struct gcra_result *result)
{
    struct distinct_sets *sets = ledger->distinct;
    uint64_t count = distinct_sets_count(sets, &keys->set, now_ms);
    struct distinct_member *member =
        distinct_sets_find(sets, &keys->member, now_ms);
    *result = (struct gcra_result){.before = count, .after = count};
    if (member == NULL && count < question->max) {
        member = distinct_sets_add(sets, &keys->set, &keys->member, now_ms);
        result->after = member == NULL ? count : count + 1;
    }
    result->is_within = member != NULL;
    if (result->is_within)
        take(ledger, question, member, now_ms);
    else if (count < question->max || question->max == 0)
        result->retry_after_ms = HELD_RETRY_MS;
    else
        result->retry_after_ms =
            retry_after_ms(ledger, keys, question->max, now_ms);
}

static void settle_counted(struct ledger *ledger, const struct hold *hold,
                           const struct distinct_keys *keys, bool is_committed,
                           uint64_t now_ms)
{
    struct distinct_sets *sets = ledger->distinct;
    struct distinct_member *member =
        distinct_sets_find(sets, &keys->member, now_ms);
    if (member == NULL || member->holds == 0)
        return;
    if (is_committed)
        distinct_sets_keep(sets, member, after(now_ms, hold->rate.period_ms));
    distinct_sets_let_go(sets, member, ledger->slot, now_ms);
}

/* --- new recipients --- */

static void answer_known(struct ledger *ledger, const struct question *question,
                         const struct distinct_keys *keys,
                         struct distinct_member *member, uint64_t now_ms,
                         struct gcra_result *result)
{
    uint64_t used =
        budget_table_used(ledger->budgets, &keys->set, &question->rate, now_ms);
    *result =
        (struct gcra_result){.is_within = true, .before = used, .after = used};
    if (question->is_charge)
        distinct_sets_keep(ledger->recipients, member,
                           after(now_ms, WRITTEN_TO_MS));
    else
        distinct_sets_hold(ledger->recipients, member, ledger->slot);
}

static void answer_new(struct ledger *ledger, const struct question *question,
                       const struct distinct_keys *keys, uint64_t now_ms,
                       struct gcra_result *result)
{
    struct distinct_sets *sets = ledger->recipients;
    if (question->is_charge)
        budget_table_charge(ledger->budgets, &keys->set, &question->rate,
                            question->max, 1, now_ms, result);
    else
        budget_table_hold(ledger->budgets, &keys->set, &question->rate,
                          question->max, 1, ledger->slot, now_ms, result);
    if (!result->is_within)
        return;
    /* Without room it is not remembered, and costs again the next time. */
    struct distinct_member *member =
        distinct_sets_add(sets, &keys->set, &keys->member, now_ms);
    if (member == NULL)
        return;
    if (question->is_charge) {
        distinct_sets_keep(sets, member, after(now_ms, WRITTEN_TO_MS));
        return;
    }
    member->is_reserved = true;
    member->reserver = (uint8_t)ledger->slot;
    distinct_sets_hold(sets, member, ledger->slot);
}

static void answer_recipient(struct ledger *ledger,
                             const struct question *question,
                             const struct distinct_keys *keys, uint64_t now_ms,
                             struct gcra_result *result)
{
    struct distinct_member *member =
        distinct_sets_find(ledger->recipients, &keys->member, now_ms);
    if (member != NULL)
        answer_known(ledger, question, keys, member, now_ms, result);
    else
        answer_new(ledger, question, keys, now_ms, result);
}

/* The member as this hold took it; NULL: there was no room for it, so that
 * the hold has one of the budget for itself. */
static struct distinct_member *held_recipient(struct ledger *ledger,
                                              const struct distinct_keys *keys,
                                              uint64_t now_ms)
{
    struct distinct_member *member =
        distinct_sets_find(ledger->recipients, &keys->member, now_ms);
    return member == NULL || member->holds == 0 ? NULL : member;
}

/* On whose behalf the budget holds one for it. */
static unsigned reserver_of(const struct ledger *ledger,
                            const struct distinct_member *member)
{
    return member == NULL ? ledger->slot : member->reserver;
}

static void commit_recipient(struct ledger *ledger, const struct hold *hold,
                             const struct distinct_keys *keys, uint64_t now_ms)
{
    struct distinct_member *member = held_recipient(ledger, keys, now_ms);
    if (member == NULL || member->is_reserved)
        budget_table_commit(ledger->budgets, &keys->set, &hold->rate, 1, 1,
                            reserver_of(ledger, member), now_ms);
    if (member == NULL)
        return;
    member->is_reserved = false;
    distinct_sets_keep(ledger->recipients, member,
                       after(now_ms, WRITTEN_TO_MS));
    distinct_sets_let_go(ledger->recipients, member, ledger->slot, now_ms);
}

static void give_back_recipient(struct ledger *ledger, const struct hold *hold,
                                const struct distinct_keys *keys,
                                uint64_t now_ms)
{
    struct distinct_member *member = held_recipient(ledger, keys, now_ms);
    bool is_last =
        member == NULL || (member->is_reserved && member->holds == 1);
    if (is_last)
        budget_table_give_back(ledger->budgets, &keys->set, &hold->rate, 1,
                               reserver_of(ledger, member));
    if (member == NULL)
        return;
    /* It may stay, if it was charged meanwhile: then nothing is held for it. */
    if (is_last)
        member->is_reserved = false;
    distinct_sets_let_go(ledger->recipients, member, ledger->slot, now_ms);
}

void ledger_distinct_pass_on(struct ledger *ledger, unsigned slot)
{
    struct expiring_table *members = distinct_sets_entries(ledger->recipients);
    size_t count = expiring_table_count(members);
    for (size_t i = 0; i < count; i++) {
        struct distinct_member *member = expiring_table_at(members, i);
        if (member->set == 0 || !member->is_reserved ||
            member->reserver != slot)
            continue;
        unsigned heir = slot_counts_other(&member->held, slot);
        if (heir == SLOTS)
            continue;
        struct expiring_key set =
            distinct_sets_key_of(ledger->recipients, member);
        budget_table_pass_on(ledger->budgets, &set, slot, heir);
        member->reserver = (uint8_t)heir;
    }
}

/* --- either --- */

void ledger_distinct_answer(struct ledger *ledger,
                            const struct question *question,
                            const struct distinct_keys *keys, uint64_t now_ms,
                            struct gcra_result *result)
{
    if (question->limit->unit == UNIT_NEW_RECIPIENTS)
        answer_recipient(ledger, question, keys, now_ms, result);
    else
        answer_counted(ledger, question, keys, now_ms, result);
}

void ledger_distinct_commit(struct ledger *ledger, const struct hold *hold,
                            const struct distinct_keys *keys, uint64_t now_ms)
{
    if (hold->limit->unit == UNIT_NEW_RECIPIENTS)
        commit_recipient(ledger, hold, keys, now_ms);
    else
        settle_counted(ledger, hold, keys, true, now_ms);
}

void ledger_distinct_give_back(struct ledger *ledger, const struct hold *hold,
                               const struct distinct_keys *keys,
                               uint64_t now_ms)
{
    if (hold->limit->unit == UNIT_NEW_RECIPIENTS)
        give_back_recipient(ledger, hold, keys, now_ms);
    else
        settle_counted(ledger, hold, keys, false, now_ms);
}
