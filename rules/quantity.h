/* Numbers as people write them in postern.yaml: `25M`, `30s`, `500/h`. Pure.
 * Each gives 0, or -1 when the text is something else or too large. */
#ifndef RULES_QUANTITY_H
#define RULES_QUANTITY_H

#include "rules/base/arena.h"

/* Digits and K, M, G or T (powers of 1024, either case); at most 2^53. */
int quantity_size(struct str text, uint64_t *out);
/* Digits and ms, s, m, h or d; at most 366 days. */
int quantity_duration(struct str text, uint64_t *out_ms);

struct rate {
    uint64_t amount;
    uint64_t period_ms; /* 0: no period, a plain number or size */
};

/* `500`, `10M`, `500/h`, `5/10m`, `1G/d`. A rate has an amount of at least
 * one. */
int quantity_rate(struct str text, struct rate *out);

/* `1%`, `0.25%`, in millionths: four decimals at most, 100% at most. */
int quantity_percent(struct str text, uint64_t *out_ppm);

/* A time for people, rounded up to seconds: `8s`, `2m 5s`, `1h 1m`. */
struct str quantity_wait_text(struct arena *arena, uint64_t ms);

#endif
