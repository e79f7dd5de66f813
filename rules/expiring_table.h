/* A bounded hash table whose entries know when they no longer matter. The
 * entry that expired first makes room; one that still matters is never
 * forgotten, and when all do nothing new gets in. Keys are 128 bits of a
 * keyed hash: what is kept does not grow with the texts that strangers
 * choose. All memory is taken at once, though untouched pages cost nothing.
 *
 * Watched, it also knows which entries were touched since they were last
 * taken, each once: that is how what changed gets into a journal. */
#ifndef RULES_EXPIRING_TABLE_H
#define RULES_EXPIRING_TABLE_H

#include "rules/base/keyed_hash.h"

struct expiring_table;

struct expiring_key {
    uint64_t words[2];
};

/* The key of several texts in a row. */
struct expiring_key expiring_key(const uint8_t secret[KEYED_HASH_SECRET],
                                 const struct str *parts, size_t count);

/* NULL when out of memory. `max` is at least 1. */
struct expiring_table *expiring_table_new(size_t max, size_t payload_bytes);
/* The same in memory of the caller's, aligned to 64 octets, that outlives the
 * table: octets of zeros are an empty table. Whatever two processes must have
 * in common lies there, by number and not by address, so that each may have a
 * table over it. They take turns. */
size_t expiring_table_octets(size_t max, size_t payload_bytes);
struct expiring_table *expiring_table_place(void *memory, size_t max,
                                            size_t payload_bytes);
void expiring_table_free(struct expiring_table *table);
/* `forget` is told of each payload that makes room for another. */
void expiring_table_on_forget(struct expiring_table *table,
                              void (*forget)(void *owner, void *payload),
                              void *owner);

/* The payload, expired or not, or NULL. Valid until the next make. */
void *expiring_table_find(struct expiring_table *table,
                          const struct expiring_key *key);
/* Found, or new and zeroed, not expiring yet; NULL when all entries still
 * matter. */
void *expiring_table_make(struct expiring_table *table,
                          const struct expiring_key *key, uint64_t now_ms);
/* The same, but when all still matter the one that expires first makes room:
 * NULL only if none ever does. */
void *expiring_table_make_anyhow(struct expiring_table *table,
                                 const struct expiring_key *key,
                                 uint64_t now_ms);
/* From `expiry_ms` on the entry may be forgotten; UINT64_MAX: not. */
void expiring_table_set(struct expiring_table *table, void *payload,
                        uint64_t expiry_ms);
uint64_t expiring_table_expiry(struct expiring_table *table,
                               const void *payload);

struct expiring_key expiring_table_key(const struct expiring_table *table,
                                       const void *payload);

/* Entries that were ever made: each keeps its number, below this. */
size_t expiring_table_count(const struct expiring_table *table);
void *expiring_table_at(struct expiring_table *table, size_t number);
size_t expiring_table_number(const struct expiring_table *table,
                             const void *payload);

/* From now on what is touched is remembered. */
void expiring_table_watch(struct expiring_table *table);
void expiring_table_touch(struct expiring_table *table, const void *payload);
/* A payload that was touched, expired or another's by now, or NULL. */
void *expiring_table_take_touched(struct expiring_table *table);

#endif
