/* The octets of a state file: a head, then records. Pure. All numbers are
 * little-endian.
 *
 *     head:   "PTRNLIM1", the secret (16), a checksum (8)
 *     record: length of the body (4), a checksum (8), the body
 *
 * Checksums are SipHash keyed with the secret: whoever can't read the file
 * can't forge one. */
#ifndef PROXY_BUDGETS_JOURNAL_RECORD_H
#define PROXY_BUDGETS_JOURNAL_RECORD_H

#include "rules/ledger_entry.h"

#define JOURNAL_HEAD_BYTES 32
#define JOURNAL_RECORD_MAX 1408 /* a list's name, a value, what is around */

/* A point in time of the ledger's clock, and the wall clock's then. */
struct journal_times {
    uint64_t ledger_ms, wall_ms;
};

/* What a record says. */
struct journal_item {
    bool is_times;
    struct journal_times times;
    struct ledger_entry entry; /* texts borrowed from the octets */
};

void journal_write_head(uint8_t out[JOURNAL_HEAD_BYTES],
                        const uint8_t secret[16]);
/* 0 and the secret, or -1: not such a file, or damaged. */
int journal_read_head(const uint8_t head[JOURNAL_HEAD_BYTES],
                      uint8_t secret[16]);

/* Each gives the octets written. */
size_t journal_write_times(uint8_t out[JOURNAL_RECORD_MAX],
                           const struct journal_times *times,
                           const uint8_t secret[16]);
size_t journal_write_entry(uint8_t out[JOURNAL_RECORD_MAX],
                           const struct ledger_entry *entry,
                           const uint8_t secret[16]);

enum journal_next {
    JOURNAL_RECORD,
    JOURNAL_MORE,   /* the octets end within this record */
    JOURNAL_DAMAGED /* a wrong length, checksum or body */
};
/* Reads the record at the start of `octets`; *length is how many it has, and
 * of a damaged one how many it claims (0: no sensible number). */
enum journal_next journal_read_record(struct str octets,
                                      const uint8_t secret[16],
                                      struct journal_item *out, size_t *length);

#endif
