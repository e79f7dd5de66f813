#include "proxy/budgets/journal_record.h"

#include <string.h>

#define FRAME_BYTES 12

static const char MAGIC[8] = {'P', 'T', 'R', 'N', 'L', 'I', 'M', '1'};

/* The first octet of a body. Never renumbered: files outlive the program. */
enum body_kind {
    BODY_TIMES = 1,
    BODY_BUDGET = 2,
    BODY_MEMBER = 3,
    BODY_RECIPIENT = 4,
    BODY_NET = 5,
    BODY_LISTED = 6,
    BODY_BOOST = 7
};

static const enum body_kind BODY_OF[LEDGER_ENTRY_KINDS] = {
    [LEDGER_BUDGET] = BODY_BUDGET,       [LEDGER_MEMBER] = BODY_MEMBER,
    [LEDGER_RECIPIENT] = BODY_RECIPIENT, [LEDGER_NET] = BODY_NET,
    [LEDGER_LISTED] = BODY_LISTED,
};

/* --- writing --- */

struct writer {
    uint8_t *at;
};

static void put(struct writer *writer, uint64_t number, size_t octets)
{
    for (size_t i = 0; i < octets; i++)
        *writer->at++ = (uint8_t)(number >> (8 * i));
}

static void put_key(struct writer *writer, const struct expiring_key *key)
{
    put(writer, key->words[0], 8);
    put(writer, key->words[1], 8);
}

static void put_text(struct writer *writer, struct str text)
{
    put(writer, text.n, 2);
    if (text.n > 0)
        memcpy(writer->at, text.p, text.n);
    writer->at += text.n;
}

static uint64_t checksum(const uint8_t *octets, size_t length,
                         const uint8_t secret[16])
{
    return keyed_hash(secret, str_span((const char *)octets, length));
}

/* Puts length and checksum before a body that ends at the writer. */
static size_t frame(uint8_t *out, const struct writer *writer,
                    const uint8_t secret[16])
{
    const uint8_t *body = out + FRAME_BYTES;
    size_t length = (size_t)(writer->at - body);
    struct writer head = {out};
    put(&head, length, 4);
    put(&head, checksum(body, length, secret), 8);
    return FRAME_BYTES + length;
}

void journal_write_head(uint8_t out[JOURNAL_HEAD_BYTES],
                        const uint8_t secret[16])
{
    memcpy(out, MAGIC, sizeof MAGIC);
    memcpy(out + 8, secret, 16);
    struct writer writer = {out + 24};
    put(&writer, checksum(out, 24, secret), 8);
}

size_t journal_write_times(uint8_t out[JOURNAL_RECORD_MAX],
                           const struct journal_times *times,
                           const uint8_t secret[16])
{
    struct writer writer = {out + FRAME_BYTES};
    put(&writer, BODY_TIMES, 1);
    put(&writer, times->ledger_ms, 8);
    put(&writer, times->wall_ms, 8);
    return frame(out, &writer, secret);
}

static void put_budget(struct writer *writer, const struct budget *budget)
{
    put(writer, (uint64_t)budget->used, 8);
    put(writer, (uint64_t)(budget->used >> 64), 8);
    put(writer, budget->scale_ms, 8);
    put(writer, budget->amount, 8);
    put(writer, budget->at_ms, 8);
}

size_t journal_write_entry(uint8_t out[JOURNAL_RECORD_MAX],
                           const struct ledger_entry *entry,
                           const uint8_t secret[16])
{
    struct writer writer = {out + FRAME_BYTES};
    put(&writer, BODY_OF[entry->kind], 1);
    if (entry->kind != LEDGER_LISTED)
        put_key(&writer, &entry->key);
    switch (entry->kind) {
    case LEDGER_BUDGET:
        put_budget(&writer, &entry->budget);
        return frame(out, &writer, secret);
    case LEDGER_MEMBER:
    case LEDGER_RECIPIENT:
        put_key(&writer, &entry->set);
        break;
    case LEDGER_LISTED:
        put_text(&writer, entry->list);
        put_text(&writer, entry->value);
        break;
    case LEDGER_BOOST:
        put(&writer, entry->boost_percent, 4);
        break;
    default:
        break;
    }
    put(&writer, entry->until_ms, 8);
    return frame(out, &writer, secret);
}

/* --- reading --- */

/* What is taken beyond the end is 0, and is_short says so. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool is_short;
};

static uint64_t take(struct reader *reader, size_t octets)
{
    uint64_t number = 0;
    if (octets > reader->left) {
        reader->is_short = true;
        return 0;
    }
    for (size_t i = 0; i < octets; i++)
        number |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += octets;
    reader->left -= octets;
    return number;
}

static struct expiring_key take_key(struct reader *reader)
{
    struct expiring_key key;
    key.words[0] = take(reader, 8);
    key.words[1] = take(reader, 8);
    return key;
}

static struct str take_text(struct reader *reader)
{
    size_t n = (size_t)take(reader, 2);
    if (n > reader->left) {
        reader->is_short = true;
        n = 0;
    }
    struct str text = str_span((const char *)reader->at, n);
    reader->at += n;
    reader->left -= n;
    return text;
}

static void take_budget(struct reader *reader, struct budget *budget)
{
    uint64_t low = take(reader, 8), high = take(reader, 8);
    budget->used = (unsigned __int128)high << 64 | low;
    budget->scale_ms = take(reader, 8);
    budget->amount = take(reader, 8);
    budget->at_ms = take(reader, 8);
}

static bool take_entry(struct reader *reader, enum body_kind kind,
                       struct ledger_entry *entry)
{
    enum ledger_entry_kind k = 0;
    while (k < LEDGER_ENTRY_KINDS && BODY_OF[k] != kind)
        k++;
    if (k == LEDGER_ENTRY_KINDS)
        return false;
    *entry = (struct ledger_entry){.kind = k};
    if (k != LEDGER_LISTED)
        entry->key = take_key(reader);
    if (k == LEDGER_BUDGET) {
        take_budget(reader, &entry->budget);
        return true;
    }
    if (k == LEDGER_MEMBER || k == LEDGER_RECIPIENT)
        entry->set = take_key(reader);
    if (k == LEDGER_LISTED) {
        entry->list = take_text(reader);
        entry->value = take_text(reader);
    }
    if (k == LEDGER_BOOST)
        entry->boost_percent = (uint32_t)take(reader, 4);
    entry->until_ms = take(reader, 8);
    return true;
}

static bool take_body(struct reader *reader, struct journal_item *out)
{
    enum body_kind kind = (enum body_kind)take(reader, 1);
    *out = (struct journal_item){.is_times = kind == BODY_TIMES};
    if (out->is_times) {
        out->times.ledger_ms = take(reader, 8);
        out->times.wall_ms = take(reader, 8);
    } else if (!take_entry(reader, kind, &out->entry))
        return false;
    return !reader->is_short && reader->left == 0;
}

int journal_read_head(const uint8_t head[JOURNAL_HEAD_BYTES],
                      uint8_t secret[16])
{
    struct reader reader = {.at = head + 24, .left = 8};
    memcpy(secret, head + 8, 16);
    return memcmp(head, MAGIC, sizeof MAGIC) == 0 &&
                   take(&reader, 8) == checksum(head, 24, secret)
               ? 0
               : -1;
}

enum journal_next journal_read_record(struct str octets,
                                      const uint8_t secret[16],
                                      struct journal_item *out, size_t *length)
{
    struct reader reader = {(const uint8_t *)octets.p, octets.n, false};
    *length = 0;
    if (octets.n < FRAME_BYTES)
        return JOURNAL_MORE;
    size_t body = (size_t)take(&reader, 4);
    uint64_t sum = take(&reader, 8);
    if (body == 0 || body > JOURNAL_RECORD_MAX - FRAME_BYTES)
        return JOURNAL_DAMAGED;
    *length = FRAME_BYTES + body;
    if (body > reader.left)
        return JOURNAL_MORE;
    reader.left = body;
    if (sum != checksum(reader.at, body, secret) || !take_body(&reader, out))
        return JOURNAL_DAMAGED;
    return JOURNAL_RECORD;
}
