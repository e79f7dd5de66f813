/* What a changed configuration must pass before its policy goes live. */
#ifndef PROXY_CONTROL_RELOAD_CHECK_H
#define PROXY_CONTROL_RELOAD_CHECK_H

#include <stdatomic.h>

#include "config/settings.h"
#include "proxy/control/reloader.h"

/* Fills `change` with the configuration of its files, at base->path, tested;
 * `fresh` stays NULL, with errors in result->diags, when it may not go live.
 * `base` is what the server runs with; unless `is_whole` a policy that is as it
 * is there has passed its tests before. Gives up, without a word, once
 * is_stopping. */
void reload_load(const struct settings *base, bool is_whole,
                 const atomic_bool *is_stopping, struct reload_change *change,
                 struct reload_result *result);
/* Whether both hold the same policies. */
bool reload_is_same(const struct settings *a, const struct settings *b);
/* Fills result->renewed. */
void reload_name_changes(const struct files *before, const struct files *after,
                         struct reload_result *result);

#endif
