/* The loader of a state file. The first octet chooses: the rest is the file
 * as it is; or the bodies of records (a length of two octets, then so many),
 * which get the right head and checksums, so that what they say is reached.
 * What is loaded is written again, and must read the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/budgets/journal_load.h"
#include "rules/ledger.h"

#define KEYS 64
#define NOW_MS 1790000000000ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t SECRET[16] = "a secret of ours";

static void put(int fd, const void *p, size_t n)
{
    ssize_t written = write(fd, p, n);
    assert(written == (ssize_t)n);
}

static void put_record(int fd, const uint8_t *body, size_t n)
{
    uint8_t frame[12];
    uint64_t sum = keyed_hash(SECRET, str_span((const char *)body, n));
    for (size_t i = 0; i < 4; i++)
        frame[i] = (uint8_t)(n >> (8 * i));
    for (size_t i = 0; i < 8; i++)
        frame[4 + i] = (uint8_t)(sum >> (8 * i));
    put(fd, frame, sizeof frame);
    put(fd, body, n);
}

static void put_records(int fd, const uint8_t *data, size_t size)
{
    uint8_t head[JOURNAL_HEAD_BYTES];
    journal_write_head(head, SECRET);
    put(fd, head, sizeof head);
    while (size >= 2) {
        size_t n = data[0] | (size_t)data[1] << 8;
        data += 2;
        size -= 2;
        n = n < size ? n : size;
        put_record(fd, data, n);
        data += n;
        size -= n;
    }
}

static void on_entry(void *owner, const struct ledger_entry *entry)
{
    uint8_t octets[JOURNAL_RECORD_MAX];
    struct journal_item again;
    size_t length;
    size_t n = journal_write_entry(octets, entry, SECRET);
    assert(journal_read_record(str_span((const char *)octets, n), SECRET,
                               &again, &length) == JOURNAL_RECORD);
    assert(length == n && !again.is_times);
    assert(again.entry.kind == entry->kind);
    assert(again.entry.until_ms == entry->until_ms);
    assert(str_equals(again.entry.value, entry->value));
    (void)ledger_restore(owner, entry, NOW_MS);
}

static void walk(struct ledger *ledger)
{
    struct ledger_entry entry;
    for (enum ledger_entry_kind k = 0; k < LEDGER_ENTRY_KINDS; k++) {
        assert(ledger_entry_count(ledger, k) <= 2 * KEYS);
        for (size_t i = 0; i < ledger_entry_count(ledger, k); i++)
            if (ledger_entry_at(ledger, k, i, &entry))
                assert(entry.until_ms > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_found found;
    if (size == 0)
        return 0;
    int fd = memfd_create("state", MFD_CLOEXEC);
    struct ledger *ledger = ledger_new(KEYS, SECRET);
    assert(fd >= 0 && ledger != NULL);
    if (data[0] % 2 == 0)
        put(fd, data + 1, size - 1);
    else
        put_records(fd, data + 1, size - 1);
    journal_survey(fd, NOW_MS, &found);
    assert(found.good_bytes <= found.file_bytes);
    if (found.state == JOURNAL_FINE)
        assert(found.good_bytes == found.file_bytes);
    assert(journal_replay(fd, &found, on_entry, ledger) == 0);
    walk(ledger);
    ledger_free(ledger);
    close(fd);
    return 0;
}
