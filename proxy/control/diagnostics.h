/* Diagnostics of a configuration on their way between processes. */
#ifndef PROXY_CONTROL_DIAGNOSTICS_H
#define PROXY_CONTROL_DIAGNOSTICS_H

#include <stdio.h>

#include <jansson.h>

#include "config/diag.h"
#include "proxy/log/server_log.h"

/* Adds "diagnostics" and "not_shown" to `reply` if there are any. */
void diagnostics_add(json_t *reply, const struct diags *diags);
/* Prints those of a reply as check prints them. */
void diagnostics_print(const json_t *reply, FILE *to);
/* Adds those of a reply to others. */
void diagnostics_take(const json_t *reply, struct diags *diags);
/* The same as lines of the log. */
void diagnostics_log(const json_t *reply, struct server_log *log);

#endif
