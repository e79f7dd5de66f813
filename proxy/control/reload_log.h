/* What the logs say of a reload: a line of the server log, and a `config`
 * event of the decision log. */
#ifndef PROXY_CONTROL_RELOAD_LOG_H
#define PROXY_CONTROL_RELOAD_LOG_H

#include "proxy/control/reloader.h"

/* Nothing, where a file was written to and is what it was. */
void reload_log(const struct reloader_host *host,
                const struct reload_result *result,
                const struct reload_cause *cause);

#endif
