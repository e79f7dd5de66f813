/* What would have to be different for a rule not to refuse: a sentence for
 * each way out, of which any one would do. */
#ifndef PROXY_EXPLAIN_REMEDY_H
#define PROXY_EXPLAIN_REMEDY_H

#include "proxy/explain/story.h"

/* `facts` are as the rule saw them. */
void remedy_find(struct story *story, struct story_rule *rule,
                 const struct facts *facts);

#endif
