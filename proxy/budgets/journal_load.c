#include "proxy/budgets/journal_load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES 65536

/* A file, record by record. */
struct scan {
    int fd;
    uint64_t file_bytes;
    uint64_t offset; /* in the file, of the record at `start` */
    size_t start, end;
    bool is_at_end;
    uint8_t buffer[BUFFER_BYTES];
};

/* Moves what is left to the front and reads on. */
static int fill(struct scan *scan)
{
    memmove(scan->buffer, scan->buffer + scan->start, scan->end - scan->start);
    scan->end -= scan->start;
    scan->start = 0;
    while (scan->end < BUFFER_BYTES && !scan->is_at_end) {
        ssize_t n =
            pread(scan->fd, scan->buffer + scan->end, BUFFER_BYTES - scan->end,
                  (off_t)(scan->offset + scan->end));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        scan->is_at_end = n == 0;
        scan->end += (size_t)n;
    }
    return 0;
}

static struct str rest(const struct scan *scan)
{
    return str_span((const char *)scan->buffer + scan->start,
                    scan->end - scan->start);
}

static void advance(struct scan *scan, size_t length)
{
    scan->start += length;
    scan->offset += length;
}

enum scanned { SCANNED, SCAN_END, SCAN_TORN, SCAN_DAMAGED, SCAN_FAILED };

/* A file system may have grown a file before its octets came: a tail of
 * nothing but zeros was never written. */
static bool is_zero_to_the_end(struct scan *scan)
{
    for (;;) {
        for (; scan->start < scan->end; advance(scan, 1))
            if (scan->buffer[scan->start] != 0)
                return false;
        if (scan->is_at_end || fill(scan) != 0)
            return scan->is_at_end;
    }
}

static enum scanned judge_damage(struct scan *scan, size_t length)
{
    uint64_t offset = scan->offset;
    /* The last record, cut by a crash of the machine within its octets. */
    bool is_last = length > 0 && offset + length >= scan->file_bytes;
    bool is_torn = is_last || is_zero_to_the_end(scan);
    scan->offset = offset;
    return is_torn ? SCAN_TORN : SCAN_DAMAGED;
}

static enum scanned scan_next(struct scan *scan, const uint8_t secret[16],
                              struct journal_item *item)
{
    size_t length;
    if (scan->end - scan->start < JOURNAL_RECORD_MAX && fill(scan) != 0)
        return SCAN_FAILED;
    if (scan->start == scan->end)
        return SCAN_END;
    switch (journal_read_record(rest(scan), secret, item, &length)) {
    case JOURNAL_RECORD:
        advance(scan, length);
        return SCANNED;
    case JOURNAL_MORE:
        return SCAN_TORN;
    default:
        return judge_damage(scan, length);
    }
}

static int scan_head(struct scan *scan, struct journal_found *found)
{
    found->state = JOURNAL_FAILED;
    if (fill(scan) != 0)
        return -1;
    found->state = scan->end == 0 ? JOURNAL_EMPTY : JOURNAL_FOREIGN;
    if (scan->end < JOURNAL_HEAD_BYTES ||
        journal_read_head(scan->buffer, found->secret) != 0)
        return -1;
    found->state = JOURNAL_FINE;
    advance(scan, JOURNAL_HEAD_BYTES);
    return 0;
}

static enum journal_state state_of(enum scanned scanned)
{
    switch (scanned) {
    case SCAN_TORN:
        return JOURNAL_TORN;
    case SCAN_DAMAGED:
        return JOURNAL_BROKEN;
    case SCAN_FAILED:
        return JOURNAL_FAILED;
    default:
        return JOURNAL_FINE;
    }
}

static void settle_clock(struct journal_found *found,
                         const struct journal_times *last, uint64_t now_wall_ms)
{
    uint64_t passed =
        now_wall_ms > last->wall_ms ? now_wall_ms - last->wall_ms : 0;
    found->last_ms = last->ledger_ms;
    /* Modulo 2^64: the shift may go either way. */
    found->shift_ms = now_wall_ms - (last->ledger_ms + passed);
}

void journal_survey(int fd, uint64_t now_wall_ms, struct journal_found *out)
{
    struct scan scan = {.fd = fd};
    struct journal_item item;
    struct journal_times last = {now_wall_ms, now_wall_ms};
    enum scanned scanned = SCANNED;
    *out = (struct journal_found){.state = JOURNAL_FINE};
    off_t size = lseek(fd, 0, SEEK_END);
    out->file_bytes = size < 0 ? 0 : (uint64_t)size;
    scan.file_bytes = out->file_bytes;
    if (scan_head(&scan, out) == 0) {
        while ((scanned = scan_next(&scan, out->secret, &item)) == SCANNED) {
            out->records++;
            if (item.is_times)
                last = item.times;
        }
        out->state = state_of(scanned);
        out->good_bytes = scan.offset;
    }
    settle_clock(out, &last, now_wall_ms);
}

/* 0 and UINT64_MAX are no times. What lies beyond the ends is put there. */
static uint64_t shifted(uint64_t ms, uint64_t shift_ms)
{
    bool is_back = shift_ms >> 63 != 0;
    uint64_t sum = ms + shift_ms;
    if (ms == 0 || ms == UINT64_MAX)
        return ms;
    if (is_back)
        return sum < ms && sum > 0 ? sum : 1;
    return sum >= ms && sum < UINT64_MAX ? sum : UINT64_MAX - 1;
}

int journal_replay(int fd, const struct journal_found *found,
                   void (*on_entry)(void *owner,
                                    const struct ledger_entry *entry),
                   void *owner)
{
    struct scan scan = {.fd = fd, .offset = JOURNAL_HEAD_BYTES};
    struct journal_item item;
    enum scanned scanned = SCANNED;
    while (scan.offset < found->good_bytes &&
           (scanned = scan_next(&scan, found->secret, &item)) == SCANNED) {
        if (item.is_times)
            continue;
        item.entry.until_ms = shifted(item.entry.until_ms, found->shift_ms);
        item.entry.budget.at_ms =
            shifted(item.entry.budget.at_ms, found->shift_ms);
        on_entry(owner, &item.entry);
    }
    return scanned == SCAN_FAILED ? -1 : 0;
}
