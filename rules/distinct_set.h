/* Sets of distinct members, one a key: which networks a login came from,
 * which addresses it wrote to. A member is in its set until a time, or as
 * long as it is held. Bounded twice: DISTINCT_MAX members a set, where the
 * one that expires first makes room, and `max` members in all sets together.
 * Of a member only a keyed hash is kept. */
#ifndef RULES_DISTINCT_SET_H
#define RULES_DISTINCT_SET_H

#include "rules/expiring_table.h"
#include "rules/slot_counts.h"

#define DISTINCT_MAX 10000

struct distinct_sets;

/* Read-only but for is_reserved and reserver, which are the caller's. Sets and
 * members by number, plus one; 0: none. */
struct distinct_member {
    uint32_t set;          /* none: in none any more */
    uint32_t older, newer; /* by until_ms, while not held */
    uint32_t holds;
    uint64_t until_ms;
    struct slot_counts held; /* of holds */
    bool is_reserved;        /* it was new when it was first held */
    uint8_t reserver;        /* by which slot */
};

enum distinct_full {
    DISTINCT_REFUSES, /* no member that still counts is forgotten */
    DISTINCT_FORGETS  /* the member that expires first of all makes room */
};

struct distinct_sets *distinct_sets_new(size_t max, enum distinct_full full);
/* As expiring_table_place(). */
size_t distinct_sets_octets(size_t max);
struct distinct_sets *distinct_sets_place(void *memory, size_t max,
                                          enum distinct_full full);
void distinct_sets_free(struct distinct_sets *sets);

/* How many are in the set now; those that have expired leave. */
uint64_t distinct_sets_count(struct distinct_sets *sets,
                             const struct expiring_key *set, uint64_t now_ms);
/* When fewer than `below` are left, were no more to come; 0: not known. */
uint64_t distinct_sets_falls_at_ms(struct distinct_sets *sets,
                                   const struct expiring_key *set,
                                   uint64_t below);
/* When the last that is not held leaves; 0: none is in it. */
uint64_t distinct_sets_last_ms(struct distinct_sets *sets,
                               const struct expiring_key *set);
/* All that are not held leave. */
void distinct_sets_clear(struct distinct_sets *sets,
                         const struct expiring_key *set);
/* The member if it is in its set now, or NULL. Valid until the next add. */
struct distinct_member *distinct_sets_find(struct distinct_sets *sets,
                                           const struct expiring_key *member,
                                           uint64_t now_ms);
/* One that is not in it: until now, so keep it or hold it. NULL: no room. */
struct distinct_member *distinct_sets_add(struct distinct_sets *sets,
                                          const struct expiring_key *set,
                                          const struct expiring_key *member,
                                          uint64_t now_ms);
/* Stays until `until_ms`, or longer if it was to. */
void distinct_sets_keep(struct distinct_sets *sets,
                        struct distinct_member *member, uint64_t until_ms);
/* Stays until it is let go as often, whatever the time. `slot`: on whose
 * behalf. */
void distinct_sets_hold(struct distinct_sets *sets,
                        struct distinct_member *member, unsigned slot);
void distinct_sets_let_go(struct distinct_sets *sets,
                          struct distinct_member *member, unsigned slot,
                          uint64_t now_ms);
/* Lets go of all that a slot holds. */
void distinct_sets_forget_slot(struct distinct_sets *sets, unsigned slot,
                               uint64_t now_ms);

/* Each payload is a struct distinct_member. Keeping one touches it. */
struct expiring_table *distinct_sets_entries(struct distinct_sets *sets);
struct expiring_key distinct_sets_key_of(const struct distinct_sets *sets,
                                         const struct distinct_member *member);

#endif
