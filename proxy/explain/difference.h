/* Whether two policies do the same with one mail, and what differs. */
#ifndef PROXY_EXPLAIN_DIFFERENCE_H
#define PROXY_EXPLAIN_DIFFERENCE_H

#include "proxy/explain/story.h"

#define DIFFERENCE_ROOM 512

/* `what` is set when it returns true: what the second one does. */
bool difference_find(const struct story *first, const struct story *second,
                     char what[DIFFERENCE_ROOM]);

#endif
