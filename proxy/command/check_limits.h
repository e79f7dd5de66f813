/* What each limit of a policy lets through, for `postern check`. */
#ifndef PROXY_COMMAND_CHECK_LIMITS_H
#define PROXY_COMMAND_CHECK_LIMITS_H

#include <stdio.h>

#include "config/settings.h"

#include <jansson.h>

/* A line a limit under `limits:`; nothing when there is none. */
void check_limits_print(const struct settings *settings, FILE *to);
/* The same as an array of objects. */
json_t *check_limits_json(const struct settings *settings);

#endif
