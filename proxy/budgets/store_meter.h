/* What the shared store was asked and how it went, for metrics. Zeros are an
 * empty one; it may lie in memory that is shared. Thread-safe. */
#ifndef PROXY_BUDGETS_STORE_METER_H
#define PROXY_BUDGETS_STORE_METER_H

#include "proxy/metrics/histogram.h"

enum store_count {
    STORE_QUESTIONS, /* asked: holds, charges, lists, known nets */
    STORE_WITHIN,    /* answers: it fits */
    STORE_EXCEEDED,  /* answers: it does not */
    STORE_LISTED,    /* answers: it is in the list */
    STORE_UNLISTED,  /* answers: it is not */
    STORE_AWAY,      /* not asked: there was no connection */
    STORE_FULL,      /* not asked: too much was under way */
    STORE_LATE,      /* no answer in time */
    STORE_BROKEN,    /* no answer: the connection broke, or an error came */
    STORE_TOLD,      /* commits, holds given back and renewed, list changes */
    STORE_LOST,      /* of these what could not be kept while it was away */
    STORE_CONNECTS,  /* connections that were made */
    STORE_LEFT,      /* and that ended */
    STORE_LOADS,     /* scripts that had to be loaded */
    STORE_COUNTS
};

struct store_meter {
    _Atomic uint64_t counts[STORE_COUNTS];
    struct histogram latency; /* of histogram_scale_work */
};

/* The word for metrics: "questions", "within", ... */
const char *store_count_name(enum store_count count);

void store_meter_add(struct store_meter *meter, enum store_count count,
                     uint64_t by);
void store_meter_answered(struct store_meter *meter, uint64_t us);
uint64_t store_meter_read(const struct store_meter *meter,
                          enum store_count count);

#endif
