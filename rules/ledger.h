/* What answers questions: the budgets, the sets of distinct members and the
 * dynamic lists; and from where a login is known. Pure memory; the clock is
 * passed in, and where it goes back it stands still. Not thread-safe: the
 * proxy shards and locks it, a policy test owns one. Keys are hashed with a
 * secret.
 *
 * Bounded by max_keys: as many budgets, as many members of distinct networks
 * and logins, twice as many recipients that were written to, as many known
 * nets, an eighth as many values of dynamic lists. When full, a budget, a
 * network, a login or a listed value that still counts is never forgotten and
 * a new one is refused; the recipient or known net that expires first makes
 * room. */
#ifndef RULES_LEDGER_H
#define RULES_LEDGER_H

#include "rules/evaluate.h"

struct ledger;

/* `secret` keys the hash. NULL when out of memory. */
struct ledger *ledger_new(size_t max_keys, const uint8_t secret[16]);
/* The same in memory of the caller's, aligned to 64 octets, that outlives the
 * ledger: octets of zeros are an empty one. Several ledgers may be placed over
 * one memory, in several processes, and are one; they take turns. `slot`,
 * below SLOTS, is the number of this one among them; see
 * ledger_forget_slot(). */
size_t ledger_octets(size_t max_keys);
struct ledger *ledger_place(void *memory, size_t max_keys,
                            const uint8_t secret[16], unsigned slot);
void ledger_free(struct ledger *ledger);

/* Answers at once. now_ms: monotonic enough for budgets, since any epoch. */
void ledger_answer(struct ledger *ledger, const struct question *question,
                   uint64_t now_ms, struct answer *answer);

/* Settles a hold whose scope is not HOLD_CHARGED: adds its cost to the
 * bucket at now, or lowers what is held. Does nothing when settled before. */
void ledger_commit(struct ledger *ledger, struct hold *hold, uint64_t now_ms);
void ledger_give_back(struct ledger *ledger, struct hold *hold,
                      uint64_t now_ms);

/* Gives back all that the ledgers with this slot hold: whoever held it is no
 * more. Takes a walk over all entries. */
void ledger_forget_slot(struct ledger *ledger, unsigned slot);

/* False: there is no room for one more value, or it is too long. */
bool ledger_apply(struct ledger *ledger, const struct list_change *change,
                  uint64_t now_ms);

/* Whether this login succeeded from this net within 30 days; and that it did
 * now. */
bool ledger_knows(struct ledger *ledger, struct str user, struct str net,
                  uint64_t now_ms);
void ledger_know(struct ledger *ledger, struct str user, struct str net,
                 uint64_t now_ms);

/* The keyed hash of a budget's key, for choosing a shard; the same for a
 * question and its hold. */
uint64_t ledger_hash_question(const struct question *question,
                              const uint8_t secret[16]);
uint64_t ledger_hash_hold(const struct hold *hold, const uint8_t secret[16]);
uint64_t ledger_hash_known(struct str user, struct str net,
                           const uint8_t secret[16]);

#endif
