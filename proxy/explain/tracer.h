/* Listens to evaluations and writes down what it hears as a story: put its
 * `trace` into a dry run, and say where each stage begins and ends. What a
 * rule did is found by comparing effects and facts before and after it. */
#ifndef PROXY_EXPLAIN_TRACER_H
#define PROXY_EXPLAIN_TRACER_H

#include "proxy/explain/story.h"

/* What there was before the rule in hand. */
struct tracer_before {
    size_t edits, list_changes, tags, notes, added;
    uint64_t delay_ms;
    struct str route, mail_from, rcpt_to;
    struct str *fields; /* the header's, raw */
    size_t field_count;
};

struct tracer {
    struct trace trace;
    struct story *story;
    struct facts *facts;
    struct effects *effects;
    struct story_stage *stage; /* NULL: between stages */
    bool is_rule_open;         /* its events come before its fate */
    struct tracer_before before;
};

/* All borrowed. */
void tracer_init(struct tracer *tracer, struct story *story,
                 struct facts *facts, struct effects *effects);
void tracer_begin(struct tracer *tracer, enum stage stage, struct str subject);
void tracer_end(struct tracer *tracer, const struct verdict *verdict);

/* A refusal that no rule decides: a stage of its own, if there is none. */
void tracer_refuse(struct tracer *tracer, enum stage stage, struct str subject,
                   int code, const char *reply);

#endif
