/* Numbers that have names which only come up while the server runs: how often
 * a rule refused at a stage, a login failed by a mechanism. A bounded table
 * that lies in memory which is shared; zeros are an empty one. What does not
 * fit any more counts under "other". Counting takes no lock, but for a name
 * that was not seen before. */
#ifndef PROXY_METRICS_SERIES_H
#define PROXY_METRICS_SERIES_H

#include <stdbool.h>

#include "proxy/budgets/robust_lock.h"
#include "proxy/metrics/minutes.h"
#include "rules/base/str.h"

#define SERIES_LABELS_MAX 4
/* Of all labels of one; a longer last one is cut. */
#define SERIES_TEXT_MAX 176

enum series_family {
    SERIES_TRANSACTIONS, /* verdict, stage, by, rule; not those accepted */
    SERIES_RULES,        /* stage, did, rule */
    SERIES_LOGINS,       /* result, mechanism */
    SERIES_HANDSHAKES,   /* result: a version of TLS, or "failed" */
    SERIES_ENDS,         /* how sessions ended */
    SERIES_CAPS,         /* the key of a cap or a timeout */
    SERIES_FAMILIES
};

/* How many labels, and how many names there is room for. */
struct series_shape {
    size_t labels, rows;
};
extern const struct series_shape series_shapes[SERIES_FAMILIES];

struct series {
    uint64_t hash;
    _Atomic uint64_t count;
    uint8_t family;
    uint8_t lengths[SERIES_LABELS_MAX];
    char text[SERIES_TEXT_MAX]; /* the labels in a row */
    struct minutes minutes;
};

#define SERIES_ROWS 2560  /* the shapes together take fewer */
#define SERIES_INDEX 4096 /* a power of two above that */

/* Rows one behind the other, so that those never used take no memory. */
struct series_table {
    uint8_t secret[16];      /* keys the hashes: strangers choose some names */
    struct robust_lock lock; /* of whoever puts a name in */
    _Atomic uint32_t count;  /* of rows that are whole */
    uint32_t used[SERIES_FAMILIES];
    /* By hash: 1 + a row's number, 0: free. */
    _Atomic uint32_t index[SERIES_INDEX];
    struct series rows[SERIES_ROWS];
};

/* Memory of zeros; is_shared: between processes. 0, or -1. */
int series_table_init(struct series_table *table, bool is_shared);
/* One more; as many labels as the family has. */
void series_add(struct series_table *table, enum series_family family,
                const struct str *labels, uint64_t minute, uint64_t amount);
/* The next of a family at or behind *at, which is set behind it; NULL: that
 * was all. */
const struct series *series_next(const struct series_table *table,
                                 enum series_family family, size_t *at);
struct str series_label(const struct series *series, size_t number);
uint64_t series_count(const struct series *series);

#endif
