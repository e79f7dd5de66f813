/* What `postern explain ID` says: what the decision log has about it, and what
 * the rules at hand say to it. */
#ifndef PROXY_EXPLAIN_PAST_TELLING_H
#define PROXY_EXPLAIN_PAST_TELLING_H

#include <stdio.h>

#include "config/settings.h"
#include "proxy/explain/past.h"

enum past_form { PAST_PLAIN, PAST_COLOURED, PAST_JSON };

/* Whether the log has what the id is about. */
bool past_is_found(const struct past *past);
/* Of what is found. `settings` NULL: no policy is at hand. 0, or -1: out of
 * memory, and the story is not whole. */
int past_tell(const struct past *past, const struct settings *settings,
              FILE *to, enum past_form form);

#endif
