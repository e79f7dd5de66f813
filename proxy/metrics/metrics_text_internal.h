/* A text of metrics_text() while it is written: each file of this folder puts
 * the families of its subject, in the order in which they are told. */
#ifndef PROXY_METRICS_METRICS_TEXT_INTERNAL_H
#define PROXY_METRICS_METRICS_TEXT_INTERNAL_H

#include <stdio.h>

#include "proxy/control/control_verbs.h"
#include "proxy/metrics/prometheus.h"

#define US_OF_SECOND 1000000.0

struct metrics_text {
    FILE *to;
    const struct controlled *c;
    uint64_t wall_us;
};

/* A family of one number without labels. */
void metrics_text_count(const struct metrics_text *t, const char *name,
                        const char *type, const char *help, uint64_t value);

/* In metrics_text_mail.c: sessions, transactions and recipients. */
void metrics_text_mail(const struct metrics_text *t);
/* In metrics_text_upstreams.c. */
void metrics_text_upstreams(const struct metrics_text *t);
/* In metrics_text_budgets.c: budgets, who uses most, and the store. */
void metrics_text_budgets(const struct metrics_text *t);

#endif
