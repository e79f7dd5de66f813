/* What is known now about one session and its transaction. Filled by the
 * session (or by a policy test), read by evaluate(), and changed by its
 * rewrites. Values are borrowed: they must live in an arena of the session
 * or transaction. A fact that was not set is absent. The struct points into
 * itself, so it is not to be copied. */
#ifndef RULES_FACTS_H
#define RULES_FACTS_H

#include "rules/fact.h"
#include "rules/header_fields.h"

struct fact_value {
    bool is_known;
    uint32_t count;
    const struct str
        *items;            /* of all but numbers; an empty list is known too */
    union {                /* idle sessions are many: no octet for nothing */
        uint64_t number;   /* FACT_TYPE_NUMBER */
        struct str single; /* storage of a one-value fact: items points here */
    };
};

/* "Mon, 05 Jan 2026 09:30:01 +0000" and its end. */
#define FACTS_DATE_ROOM 32

struct facts {
    struct fact_value values[FACT_COUNT];
    struct header_fields *header; /* NULL until the header stage */
    uint64_t time_s;              /* the moment that time.* is of */
    char date[FACTS_DATE_ROOM];   /* storage of time.date */
    uint64_t changes; /* counted, so that readers know what they kept is old */
};

void facts_init(struct facts *facts);
void facts_set_text(struct facts *facts, enum fact fact, struct str value);
void facts_set_number(struct facts *facts, enum fact fact, uint64_t value);
/* The array is borrowed too. */
void facts_set_list(struct facts *facts, enum fact fact,
                    const struct str *values, size_t count);
void facts_set_header(struct facts *facts, struct header_fields *fields);
void facts_forget(struct facts *facts, enum fact fact);
/* One fact as another struct has it, known or not; its texts are borrowed. */
void facts_copy(struct facts *facts, const struct facts *from, enum fact fact);
/* All that is learned at `stage` or later; the header too. */
void facts_forget_from(struct facts *facts, enum stage stage);

/* The text of a one-value fact, empty when absent. */
struct str facts_text(const struct facts *facts, enum fact fact);
bool facts_know(const struct facts *facts, enum fact fact);

#endif
