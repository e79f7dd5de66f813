/* What a rule did: effects, facts and the header as they are, against what
 * they were before it. For tracer.c alone. */
#ifndef PROXY_EXPLAIN_TRACER_EDITS_H
#define PROXY_EXPLAIN_TRACER_EDITS_H

#include "proxy/explain/tracer.h"

void tracer_note_before(struct tracer *tracer);
/* Adds the edits to the rule, and notes how things stand now. */
void tracer_tell_edits(struct tracer *tracer, struct story_rule *rule);

#endif
