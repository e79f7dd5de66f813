/* What the logs say of a reload: a line of the server log, and a `config`
 * event of the decision log. */
#ifndef PROXY_CONTROL_RELOAD_LOG_H
#define PROXY_CONTROL_RELOAD_LOG_H

#include "proxy/control/reloader.h"

/* `by` is who asked: "signal" or "control". */
void reload_log(const struct reloader_host *host,
                const struct reload_result *result, const char *by);

#endif
