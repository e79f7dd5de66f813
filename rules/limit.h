/* A limit of a rule: its unit, how much, by which key. A unit without a
 * period bounds this message or session; with one it is a rate. */
#ifndef RULES_LIMIT_H
#define RULES_LIMIT_H

#include "rules/quantity.h"
#include "rules/template.h"

enum limit_unit {
    UNIT_SIZE,
    UNIT_RECIPIENTS,
    UNIT_HEADERS,
    UNIT_HEADER_BYTES,
    UNIT_HOPS,
    UNIT_LINE,
    UNIT_CONNECTIONS,
    UNIT_MESSAGES,
    UNIT_BYTES,
    UNIT_FAILURES,
    UNIT_REJECTS,
    UNIT_NEW_RECIPIENTS, /* addresses that the key did not write to before */
    UNIT_NETWORKS,       /* distinct client.net */
    UNIT_LOGINS,         /* distinct auth.name */
    UNIT_COUNT
};

enum limit_periods {
    LIMIT_WITHOUT_PERIOD, /* only bounds this message */
    LIMIT_WITH_PERIOD,    /* only a rate */
    LIMIT_EITHER
};

/* One row of the table of units. */
struct unit_row {
    const char *name;
    enum limit_periods periods;
    unsigned stages;   /* bit 1 << enum stage */
    const char *where; /* the same in words */
    const char *help;  /* what is counted */
};

const struct unit_row *unit_row(enum limit_unit unit);
/* 0, or -1 when there is no such unit. */
int unit_from_name(struct str name, enum limit_unit *out);

struct limit {
    enum limit_unit unit;
    struct str text;        /* the value as written */
    struct rate rate;       /* when it is not mapped */
    struct template *value; /* {…|map:NAME}; NULL: fixed */
    bool maps_to_rates;     /* all that the list of `value` holds */
    struct template *by;    /* the first whose facts all exist; none: one key
                               for all */
    size_t by_count;
    uint64_t burst;        /* 0: the whole amount */
    bool is_by_upstream;   /* `by` names {upstream.name} */
    bool counts_attempts;  /* charged at once, never given back */
    unsigned warn_percent; /* of burst, from which a use is told; 0: never */
};

/* What a limit is for this rule and these facts. */
struct limit_now {
    struct str text;
    struct rate rate;
    uint64_t burst;
};

/* TEMPLATE_ABSENT: no entry for the key, the rule does not act. -3: the
 * mapped text is no value for this unit. */
int limit_resolve(const struct limit *limit, struct view *view,
                  struct limit_now *out);

/* Whether text and unit go together: a rate where one is needed. */
bool limit_fits(enum limit_unit unit, const struct rate *rate);

/* Distinct units are remembered one by one: this many a key. */
#define LIMIT_DISTINCT_MAX 10000

/* The fact that a limit of this unit counts or measures at this stage; false:
 * it counts none. */
bool limit_fact(enum limit_unit unit, enum stage stage, enum fact *out);
/* What a limit without a period measures at this stage; false: it measures
 * none, or one that is absent. */
bool limit_measured(enum limit_unit unit, enum stage stage, struct view *view,
                    uint64_t *out);

#endif
