/* What a ledger knows, entry by entry, for whoever keeps it: a journal takes
 * what changed, a snapshot walks over all, and after a restart the entries
 * are restored. Each says how things stand, not what happened, so the last
 * word on a key is the one that counts. What is only held is not told. */
#ifndef RULES_LEDGER_ENTRY_H
#define RULES_LEDGER_ENTRY_H

#include "rules/expiring_table.h"
#include "rules/gcra.h"

struct ledger;

enum ledger_entry_kind {
    LEDGER_BUDGET,    /* what is used of a budget */
    LEDGER_MEMBER,    /* a distinct network or login */
    LEDGER_RECIPIENT, /* an address that was written to */
    LEDGER_NET,       /* from which a login succeeded */
    LEDGER_LISTED,    /* a value of a dynamic list */
    LEDGER_BOOST,     /* that a budget is larger for a while */
    LEDGER_ENTRY_KINDS
};

struct ledger_entry {
    enum ledger_entry_kind kind;
    struct expiring_key key; /* LISTED: made from the texts */
    struct expiring_key set; /* MEMBER, RECIPIENT: of which set */
    struct budget budget;    /* BUDGET */
    uint64_t until_ms;       /* when it no longer counts; 0: it already does
                                not; UINT64_MAX: never */
    uint32_t boost_percent;  /* BOOST */
    struct str list, value;  /* LISTED; borrowed until the ledger changes */
};

/* From now on changes are remembered. */
void ledger_watch(struct ledger *ledger);
/* One that changed since it was last taken; false: none. */
bool ledger_take_change(struct ledger *ledger, struct ledger_entry *out);
/* Whether a removal was lost to the changes: only a walk over all entries
 * tells what is listed. Asking resets it. */
bool ledger_take_lost(struct ledger *ledger);
/* As if one had been: what was told of it before is no longer so. */
void ledger_lose(struct ledger *ledger);

/* Entries are numbered below the count, which only grows; false: this one has
 * nothing to tell now. */
size_t ledger_entry_count(const struct ledger *ledger,
                          enum ledger_entry_kind kind);
bool ledger_entry_at(struct ledger *ledger, enum ledger_entry_kind kind,
                     size_t number, struct ledger_entry *out);

/* Takes it as it stands, in the place of what was there. False when there is
 * no room, or when it can't be true. now_ms: what has expired by then may
 * make room. */
bool ledger_restore(struct ledger *ledger, const struct ledger_entry *entry,
                    uint64_t now_ms);

/* Which hash chooses the shard of an entry: as ledger_hash_question(). */
uint64_t ledger_hash_entry(const struct ledger_entry *entry,
                           const uint8_t secret[16]);

#endif
