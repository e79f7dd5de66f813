/* All members sit in one table, whose heap finds what expired; the members of
 * a set that are not held are also chained by expiry. A set lives in a table
 * of its own as long as it has members, so there are never more sets. */
#include "rules/distinct_set.h"

#include <assert.h>
#include <stdlib.h>

struct distinct_set {
    struct distinct_member *oldest, *newest;
    uint64_t count; /* held ones too */
};

struct distinct_sets {
    struct expiring_table *sets, *members;
    enum distinct_full full;
};

static void unlink_member(struct distinct_member *member)
{
    struct distinct_set *set = member->set;
    if (member->older != NULL)
        member->older->newer = member->newer;
    else
        set->oldest = member->newer;
    if (member->newer != NULL)
        member->newer->older = member->older;
    else
        set->newest = member->older;
    member->older = member->newer = NULL;
}

/* What is kept now mostly expires last, so the search is short. */
static void link_member(struct distinct_member *member)
{
    struct distinct_set *set = member->set;
    struct distinct_member *older = set->newest;
    while (older != NULL && older->until_ms > member->until_ms)
        older = older->older;
    member->older = older;
    member->newer = older == NULL ? set->oldest : older->newer;
    if (older != NULL)
        older->newer = member;
    else
        set->oldest = member;
    if (member->newer != NULL)
        member->newer->older = member;
    else
        set->newest = member;
}

/* Takes one that is not held out of its set. */
static void leave(struct distinct_sets *sets, struct distinct_member *member)
{
    struct distinct_set *set = member->set;
    unlink_member(member);
    member->set = NULL;
    assert(set->count > 0);
    if (--set->count == 0)
        expiring_table_set(sets->sets, set, 0);
}

static void on_forget(void *owner, void *payload)
{
    struct distinct_member *member = payload;
    if (member->set != NULL)
        leave(owner, member);
}

struct distinct_sets *distinct_sets_new(size_t max, enum distinct_full full)
{
    struct distinct_sets *sets = calloc(1, sizeof *sets);
    if (sets == NULL)
        return NULL;
    sets->full = full;
    sets->sets = expiring_table_new(max, sizeof(struct distinct_set));
    sets->members = expiring_table_new(max, sizeof(struct distinct_member));
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
    free(sets);
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
    while (set->oldest != NULL && set->oldest->until_ms <= now_ms)
        drop(sets, set->oldest);
    return set->count;
}

uint64_t distinct_sets_falls_at_ms(struct distinct_sets *sets,
                                   const struct expiring_key *key,
                                   uint64_t below)
{
    struct distinct_set *set = expiring_table_find(sets->sets, key);
    const struct distinct_member *member = set == NULL ? NULL : set->oldest;
    uint64_t left = set == NULL ? 0 : set->count;
    while (member != NULL && left > below) {
        member = member->newer;
        left--;
    }
    return member == NULL ? 0 : member->until_ms;
}

struct distinct_member *distinct_sets_find(struct distinct_sets *sets,
                                           const struct expiring_key *key,
                                           uint64_t now_ms)
{
    struct distinct_member *member = expiring_table_find(sets->members, key);
    if (member == NULL || member->set == NULL)
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
    if (member != NULL && member->set != NULL)
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
        if (set->oldest == NULL)
            return NULL;
        drop(sets, set->oldest);
    }
    struct distinct_member *member = make_member(sets, member_key, now_ms);
    if (member == NULL)
        return NULL;
    set = expiring_table_make(sets->sets, key, now_ms);
    assert(set != NULL); /* each other set has a member of its own */
    *member = (struct distinct_member){.set = set, .until_ms = now_ms};
    set->count++;
    expiring_table_set(sets->sets, set, UINT64_MAX);
    expiring_table_set(sets->members, member, now_ms);
    link_member(member);
    return member;
}

void distinct_sets_keep(struct distinct_sets *sets,
                        struct distinct_member *member, uint64_t until_ms)
{
    if (until_ms > member->until_ms) {
        if (member->holds == 0)
            unlink_member(member);
        member->until_ms = until_ms;
        if (member->holds == 0) {
            link_member(member);
            expiring_table_set(sets->members, member, until_ms);
        }
    }
    expiring_table_touch(sets->members, member);
}

void distinct_sets_hold(struct distinct_sets *sets,
                        struct distinct_member *member)
{
    if (member->holds++ > 0)
        return;
    unlink_member(member);
    expiring_table_set(sets->members, member, UINT64_MAX);
}

void distinct_sets_let_go(struct distinct_sets *sets,
                          struct distinct_member *member, uint64_t now_ms)
{
    assert(member->holds > 0);
    if (--member->holds > 0)
        return;
    link_member(member);
    expiring_table_set(sets->members, member, member->until_ms);
    if (member->until_ms <= now_ms)
        drop(sets, member);
}

struct expiring_table *distinct_sets_entries(struct distinct_sets *sets)
{
    return sets->members;
}

struct expiring_key distinct_sets_key_of(const struct distinct_sets *sets,
                                         const struct distinct_member *member)
{
    return expiring_table_key(sets->sets, member->set);
}
