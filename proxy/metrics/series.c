#include "proxy/metrics/series.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "rules/base/keyed_hash.h"

const struct series_shape series_shapes[SERIES_FAMILIES] = {
    [SERIES_TRANSACTIONS] = {4, 1024}, [SERIES_RULES] = {3, 1024},
    [SERIES_LOGINS] = {2, 128},        [SERIES_HANDSHAKES] = {1, 16},
    [SERIES_ENDS] = {1, 32},           [SERIES_CAPS] = {1, 64},
};

/* A name as it is kept and compared. */
struct name {
    uint64_t hash;
    uint8_t family;
    uint8_t lengths[SERIES_LABELS_MAX];
    char text[SERIES_TEXT_MAX];
    size_t used;
};

int series_table_init(struct series_table *table, bool is_shared)
{
    if (getrandom(table->secret, sizeof table->secret, 0) !=
        (ssize_t)sizeof table->secret)
        return -1;
    return robust_lock_init(&table->lock, is_shared);
}

/* Not in the middle of a character. */
static size_t cut_length(struct str label, size_t room)
{
    size_t n = label.n < room ? label.n : room;
    while (n > 0 && n < label.n && ((uint8_t)label.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void make_name(const struct series_table *table,
                      enum series_family family, const struct str *labels,
                      struct name *name)
{
    name->family = (uint8_t)family;
    name->used = 0;
    for (size_t i = 0; i < SERIES_LABELS_MAX; i++) {
        name->lengths[i] = 0;
        if (i >= series_shapes[family].labels)
            continue;
        size_t n = cut_length(labels[i], SERIES_TEXT_MAX - name->used);
        if (n > 0)
            memcpy(name->text + name->used, labels[i].p, n);
        name->used += n;
        name->lengths[i] = (uint8_t)n;
    }
    const struct str parts[] = {
        str_span((const char *)name->lengths, sizeof name->lengths),
        str_span((const char *)&name->family, 1),
        str_span(name->text, name->used)};
    name->hash = keyed_hash_parts(table->secret, parts, 3);
}

static bool is_it(const struct series *row, const struct name *name)
{
    return row->hash == name->hash && row->family == name->family &&
           memcmp(row->lengths, name->lengths, sizeof row->lengths) == 0 &&
           memcmp(row->text, name->text, name->used) == 0;
}

/* Where a name's row is named, or would be. There is always a free place. */
static _Atomic uint32_t *find(struct series_table *table,
                              const struct name *name)
{
    for (size_t i = (size_t)name->hash;; i++) {
        _Atomic uint32_t *place = &table->index[i % SERIES_INDEX];
        uint32_t number = atomic_load_explicit(place, memory_order_acquire);
        if (number == 0 || is_it(&table->rows[number - 1], name))
            return place;
    }
}

static struct series *row_at(struct series_table *table,
                             const _Atomic uint32_t *place)
{
    uint32_t number = atomic_load_explicit(place, memory_order_acquire);
    return number == 0 ? NULL : &table->rows[number - 1];
}

/* Names what is not there yet. Should a process die here, the row is whole or
 * the next one's. */
static void put_row(struct series_table *table, const struct name *name,
                    _Atomic uint32_t *place)
{
    uint32_t number = atomic_load_explicit(&table->count, memory_order_relaxed);
    struct series *row = &table->rows[number];
    assert(number < SERIES_ROWS);
    row->hash = name->hash;
    row->family = name->family;
    memcpy(row->lengths, name->lengths, sizeof row->lengths);
    memcpy(row->text, name->text, name->used);
    table->used[name->family]++;
    atomic_store_explicit(place, number + 1, memory_order_release);
    atomic_store_explicit(&table->count, number + 1, memory_order_release);
}

/* After a death in put_row(): a place may name the row behind the last. */
static void mend(struct series_table *table)
{
    uint32_t count = 0;
    memset(table->used, 0, sizeof table->used);
    for (size_t i = 0; i < SERIES_INDEX; i++) {
        uint32_t number = atomic_load(&table->index[i]);
        if (number > count)
            count = number;
    }
    for (uint32_t i = 0; i < count; i++)
        table->used[table->rows[i].family]++;
    atomic_store(&table->count, count);
    robust_lock_mended(&table->lock);
}

/* The last rooms are for those that count under "other". */
static struct series *make_row(struct series_table *table,
                               const struct name *name, bool is_other)
{
    size_t rows = series_shapes[name->family].rows;
    size_t room = is_other ? rows : rows - rows / 16;
    if (!robust_lock_take(&table->lock, LOCK_TO_CHANGE))
        mend(table);
    _Atomic uint32_t *place = find(table, name);
    if (row_at(table, place) == NULL && table->used[name->family] < room)
        put_row(table, name, place);
    struct series *row = row_at(table, place);
    robust_lock_release(&table->lock);
    return row;
}

static struct series *row_of(struct series_table *table,
                             enum series_family family,
                             const struct str *labels, bool is_other)
{
    struct name name;
    make_name(table, family, labels, &name);
    struct series *row = row_at(table, find(table, &name));
    return row == NULL ? make_row(table, &name, is_other) : row;
}

void series_add(struct series_table *table, enum series_family family,
                const struct str *labels, uint64_t minute, uint64_t amount)
{
    struct series *row = row_of(table, family, labels, false);
    if (row == NULL) {
        struct str other[SERIES_LABELS_MAX];
        size_t last = series_shapes[family].labels - 1;
        memcpy(other, labels, series_shapes[family].labels * sizeof *other);
        other[last] = STR("other");
        row = row_of(table, family, other, true);
    }
    if (row == NULL)
        return;
    atomic_fetch_add_explicit(&row->count, amount, memory_order_relaxed);
    minutes_add(&row->minutes, minute, amount);
}

const struct series *series_next(const struct series_table *table,
                                 enum series_family family, size_t *at)
{
    size_t count = atomic_load_explicit(&table->count, memory_order_acquire);
    while (*at < count) {
        const struct series *row = &table->rows[(*at)++];
        if (row->family == family)
            return row;
    }
    return NULL;
}

struct str series_label(const struct series *series, size_t number)
{
    size_t start = 0;
    assert(number < SERIES_LABELS_MAX);
    for (size_t i = 0; i < number; i++)
        start += series->lengths[i];
    return str_span(series->text + start, series->lengths[number]);
}

uint64_t series_count(const struct series *series)
{
    return atomic_load_explicit(&series->count, memory_order_relaxed);
}
