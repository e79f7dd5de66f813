/* The first form of `postern explain`: a mail that the options describe. */
#ifndef PROXY_COMMAND_EXPLAIN_DRY_H
#define PROXY_COMMAND_EXPLAIN_DRY_H

#include "config/settings.h"
#include "proxy/command/explain_options.h"

/* An exit code: 0 if it would be accepted, 1 if refused. */
int explain_dry(const struct explain_options *options,
                const struct settings *settings, bool is_coloured);

#endif
