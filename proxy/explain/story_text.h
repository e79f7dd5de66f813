/* A story for people: each stage with its rules in order, what they tested
 * and found, and what would have to be different. What came from outside is
 * made printable. */
#ifndef PROXY_EXPLAIN_STORY_TEXT_H
#define PROXY_EXPLAIN_STORY_TEXT_H

#include <stdio.h>

#include "proxy/explain/story.h"

/* Notes and stages. */
void story_text_stages(const struct story *story, FILE *to, bool is_coloured);
/* How it ends, and what would go on. */
void story_text_outcome(const struct story *story, FILE *to, bool is_coloured);
/* One line: `refused at mail by the rule "x": 553 …`, or `accepted`. */
void story_text_verdict(const struct story *story, FILE *to, bool is_coloured);

#endif
