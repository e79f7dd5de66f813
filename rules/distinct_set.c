/* All members sit in one table, whose heap finds what expired; the members of
 * a set that are not held are also chained by expiry. A set lives in a table
 * of its own as long as it has members, so there are never more sets. */
#include "rules/distinct_set.h"

#include "rules/base/zeroed_block.h"

#include <assert.h>
#include <stdlib.h>

struct distinct_set {
    uint32_t oldest, newest; /* members by number, plus one; 0: none */
    uint32_t count;          /* held ones too */
};

struct distinct_sets {
    void *owned; /* the memory, if it is the sets' own */
    struct expiring_table *sets, *members;
    enum distinct_full full;
};

static struct distinct_member *member_at(const struct distinct_sets *sets,
                                         uint32_t number)
{
    return number == 0 ? NULL : expiring_table_at(sets->members, number - 1);
}

static uint32_t number_of(const struct distinct_sets *sets,
                          const struct distinct_member *member)
{
    return (uint32_t)expiring_table_number(sets->members, member) + 1;
}

static struct distinct_set *set_of(const struct distinct_sets *sets,
                                   const struct distinct_member *member)
{
    return expiring_table_at(sets->sets, member->set - 1);
}

static void unlink_member(struct distinct_sets *sets,
                          struct distinct_member *member)
{
    struct distinct_set *set = set_of(sets, member);
    if (member->older != 0)
        member_at(sets, member->older)->newer = member->newer;
    else
        set->oldest = member->newer;
    if (member->newer != 0)
        member_at(sets, member->newer)->older = member->older;
    else
        set->newest = member->older;
    member->older = member->newer = 0;
}

/* Behind which one it belongs. What is kept now mostly expires last, and what
 * is about to be held first, so the search is short. */
static uint32_t find_older(const struct distinct_sets *sets,
                           const struct distinct_set *set,
                           const struct distinct_member *member)
{
    const struct distinct_member *oldest = member_at(sets, set->oldest);
    if (oldest == NULL || oldest->until_ms > member->until_ms)
        return 0;
    uint32_t number = set->newest;
    const struct distinct_member *older = member_at(sets, number);
    while (older != NULL && older->until_ms > member->until_ms) {
        number = older->older;
        older = member_at(sets, number);
    }
    return number;
}

static void link_member(struct distinct_sets *sets,
                        struct distinct_member *member)
{
    struct distinct_set *set = set_of(sets, member);
    uint32_t number = number_of(sets, member);
    member->older = find_older(sets, set, member);
    struct distinct_member *older = member_at(sets, member->older);
    member->newer = older == NULL ? set->oldest : older->newer;
    if (older != NULL)
        older->newer = number;
    else
        set->oldest = number;
    if (member->newer != 0)
        member_at(sets, member->newer)->older = number;
    else
        set->newest = number;
}

/* Takes one that is not held out of its set. */
static void leave(struct distinct_sets *sets, struct distinct_member *member)
{
    struct distinct_set *set = set_of(sets, member);
    unlink_member(sets, member);
    member->set = 0;
    assert(set->count > 0);
    if (--set->count == 0)
        expiring_table_set(sets->sets, set, 0);
}

static void on_forget(void *owner, void *payload)
{
    struct distinct_member *member = payload;
    if (member->set != 0)
        leave(owner, member);
}

size_t distinct_sets_octets(size_t max)
{
    return expiring_table_octets(max, sizeof(struct distinct_set)) +
           expiring_table_octets(max, sizeof(struct distinct_member));
}

struct distinct_sets *distinct_sets_place(void *memory, size_t max,
                                          enum distinct_full full)
{
    struct distinct_sets *sets = calloc(1, sizeof *sets);
    if (sets == NULL)
        return NULL;
    sets->full = full;
    sets->sets = expiring_table_place(memory, max, sizeof(struct distinct_set));
    sets->members = expiring_table_place(
        (char *)memory +
            expiring_table_octets(max, sizeof(struct distinct_set)),
        max, sizeof(struct distinct_member));
    if (sets->sets == NULL || sets->members == NULL) {
        distinct_sets_free(sets);
        return NULL;
    }
    expiring_table_on_forget(sets->members, on_forget, sets);
    return sets;
}

void distinct_sets_free(struct distinct_sets *sets)
{
    if (sets == NULL)
        return;
    expiring_table_free(sets->sets);
    expiring_table_free(sets->members);
    free(sets->owned);
    free(sets);
}

struct distinct_sets *distinct_sets_new(size_t max, enum distinct_full full)
{
    void *owned;
    void *memory = zeroed_block_new(distinct_sets_octets(max), &owned);
    if (memory == NULL)
        return NULL;
    struct distinct_sets *sets = distinct_sets_place(memory, max, full);
    if (sets == NULL)
        free(owned);
    else
        sets->owned = owned;
    return sets;
}

static void drop(struct distinct_sets *sets, struct distinct_member *member)
{
    leave(sets, member);
    expiring_table_set(sets->members, member, 0);
}

uint64_t distinct_sets_count(struct distinct_sets *sets,
                             const struct expiring_key *key, uint64_t now_ms)
{
    struct distinct_set *set = expiring_table_find(sets->sets, key);
    if (set == NULL)
        return 0;
    while (set->oldest != 0 && member_at(sets, set->oldest)->until_ms <= now_ms)
        drop(sets, member_at(sets, set->oldest));
    return set->count;
}

uint64_t distinct_sets_falls_at_ms(struct distinct_sets *sets,
                                   const struct expiring_key *key,
                                   uint64_t below)
{
    struct distinct_set *set = expiring_table_find(sets->sets, key);
    const struct distinct_member *member =
        set == NULL ? NULL : member_at(sets, set->oldest);
    uint64_t left = set == NULL ? 0 : set->count;
    while (member != NULL && left > below) {
        member = member_at(sets, member->newer);
        left--;
    }
    return member == NULL ? 0 : member->until_ms;
}

uint64_t distinct_sets_last_ms(struct distinct_sets *sets,
                               const struct expiring_key *key)
{
    const struct distinct_set *set = expiring_table_find(sets->sets, key);
    const struct distinct_member *newest =
        set == NULL ? NULL : member_at(sets, set->newest);
    return newest == NULL ? 0 : newest->until_ms;
}

void distinct_sets_clear(struct distinct_sets *sets,
                         const struct expiring_key *key)
{
    const struct distinct_set *set = expiring_table_find(sets->sets, key);
    while (set != NULL && set->oldest != 0)
        drop(sets, member_at(sets, set->oldest));
}

struct distinct_member *distinct_sets_find(struct distinct_sets *sets,
                                           const struct expiring_key *key,
                                           uint64_t now_ms)
{
    struct distinct_member *member = expiring_table_find(sets->members, key);
    if (member == NULL || member->set == 0)
        return NULL;
    return member->holds > 0 || member->until_ms > now_ms ? member : NULL;
}

static struct distinct_member *make_member(struct distinct_sets *sets,
                                           const struct expiring_key *key,
                                           uint64_t now_ms)
{
    struct distinct_member *member =
        sets->full == DISTINCT_FORGETS
            ? expiring_table_make_anyhow(sets->members, key, now_ms)
            : expiring_table_make(sets->members, key, now_ms);
    /* It may still be in its set, expired. */
    if (member != NULL && member->set != 0)
        leave(sets, member);
    return member;
}

struct distinct_member *distinct_sets_add(struct distinct_sets *sets,
                                          const struct expiring_key *key,
                                          const struct expiring_key *member_key,
                                          uint64_t now_ms)
{
    struct distinct_set *set = expiring_table_find(sets->sets, key);
    if (set != NULL && set->count >= DISTINCT_MAX) {
        if (set->oldest == 0)
            return NULL;
        drop(sets, member_at(sets, set->oldest));
    }
    struct distinct_member *member = make_member(sets, member_key, now_ms);
    if (member == NULL)
        return NULL;
    set = expiring_table_make(sets->sets, key, now_ms);
    assert(set != NULL); /* each other set has a member of its own */
    *member = (struct distinct_member){
        .set = (uint32_t)expiring_table_number(sets->sets, set) + 1,
        .until_ms = now_ms};
    set->count++;
    expiring_table_set(sets->sets, set, UINT64_MAX);
    expiring_table_set(sets->members, member, now_ms);
    link_member(sets, member);
    return member;
}

void distinct_sets_keep(struct distinct_sets *sets,
                        struct distinct_member *member, uint64_t until_ms)
{
    if (until_ms > member->until_ms) {
        if (member->holds == 0)
            unlink_member(sets, member);
        member->until_ms = until_ms;
        if (member->holds == 0) {
            link_member(sets, member);
            expiring_table_set(sets->members, member, until_ms);
        }
    }
    expiring_table_touch(sets->members, member);
}

void distinct_sets_hold(struct distinct_sets *sets,
                        struct distinct_member *member, unsigned slot)
{
    slot_counts_add(&member->held, slot, 1);
    if (member->holds++ > 0)
        return;
    unlink_member(sets, member);
    expiring_table_set(sets->members, member, UINT64_MAX);
}

static void lower(struct distinct_sets *sets, struct distinct_member *member,
                  uint32_t holds, uint64_t now_ms)
{
    assert(member->holds >= holds);
    member->holds -= holds;
    if (member->holds > 0)
        return;
    link_member(sets, member);
    expiring_table_set(sets->members, member, member->until_ms);
    if (member->until_ms <= now_ms)
        drop(sets, member);
}

void distinct_sets_let_go(struct distinct_sets *sets,
                          struct distinct_member *member, unsigned slot,
                          uint64_t now_ms)
{
    slot_counts_lower(&member->held, slot, 1);
    lower(sets, member, 1, now_ms);
}

void distinct_sets_forget_slot(struct distinct_sets *sets, unsigned slot,
                               uint64_t now_ms)
{
    size_t count = expiring_table_count(sets->members);
    for (size_t i = 0; i < count; i++) {
        struct distinct_member *member = expiring_table_at(sets->members, i);
        uint32_t holds = slot_counts_take(&member->held, slot);
        if (holds == 0 || member->set == 0)
            continue;
        lower(sets, member, holds, now_ms);
    }
}

struct expiring_table *distinct_sets_entries(struct distinct_sets *sets)
{
    return sets->members;
}

struct expiring_key distinct_sets_key_of(const struct distinct_sets *sets,
                                         const struct distinct_member *member)
{
    return expiring_table_key(sets->sets, set_of(sets, member));
}
