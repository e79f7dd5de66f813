/* Writes the text format that Prometheus reads, version 0.0.4. A family is
 * begun, then come its samples. Pure, but for the FILE. */
#ifndef PROXY_METRICS_PROMETHEUS_H
#define PROXY_METRICS_PROMETHEUS_H

#include <stdio.h>

#include "proxy/metrics/histogram.h"
#include "rules/base/str.h"

struct prometheus_label {
    const char *name;
    struct str value; /* whatever octets: made fit */
};

/* `type`: "counter", "gauge" or "histogram"; `help`: a sentence. */
void prometheus_family(FILE *to, const char *name, const char *type,
                       const char *help);
void prometheus_number(FILE *to, const char *name,
                       const struct prometheus_label *labels, size_t count,
                       double value);
/* Integers without rounding. */
void prometheus_count(FILE *to, const char *name,
                      const struct prometheus_label *labels, size_t count,
                      uint64_t value);
/* In seconds; buckets, sum and count. */
void prometheus_histogram(FILE *to, const char *name,
                          const struct prometheus_label *labels, size_t count,
                          const struct histogram_sum *sum,
                          const struct histogram_scale *scale);

#endif
