/* A story for programs: the same as story_text.h tells, as JSON. */
#ifndef PROXY_EXPLAIN_STORY_JSON_H
#define PROXY_EXPLAIN_STORY_JSON_H

#include "proxy/explain/story.h"

#include <jansson.h>

/* A text that may not be UTF-8: what is not becomes \x escapes. */
json_t *story_json_text(struct str text);

/* An object; NULL when out of memory. */
json_t *story_json(const struct story *story);

#endif
