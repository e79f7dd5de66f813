/* The second form of `postern explain`: what happened to a past mail, by the
 * id in its reply, out of the decision log. */
#ifndef PROXY_COMMAND_EXPLAIN_PAST_H
#define PROXY_COMMAND_EXPLAIN_PAST_H

#include "config/settings.h"
#include "proxy/command/explain_options.h"

/* `settings` may be NULL when options->log is set: then the policy is not at
 * hand. An exit code: 1 when there is no such id. */
int explain_past(const struct explain_options *options,
                 const struct settings *settings, bool is_coloured);

#endif
