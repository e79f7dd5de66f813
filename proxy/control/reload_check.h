/* What a changed configuration must pass before its policy goes live. */
#ifndef PROXY_CONTROL_RELOAD_CHECK_H
#define PROXY_CONTROL_RELOAD_CHECK_H

#include <stdatomic.h>

#include "config/settings.h"
#include "proxy/control/reloader.h"

/* The configuration at base->path, tested; NULL with errors in
 * result->diags. `base` is what the server runs with. `newest`, if it is not
 * NULL: a policy that is as it is there has passed its tests before. Gives up,
 * without a word, once is_stopping. */
const struct settings *reload_load(const struct settings *base,
                                   const struct settings *newest,
                                   struct files *files,
                                   const atomic_bool *is_stopping,
                                   struct reload_result *result);
/* Whether both hold the same policies. */
bool reload_is_same(const struct settings *a, const struct settings *b);
/* Fills result->renewed. */
void reload_name_changes(const struct files *before, const struct files *after,
                         struct reload_result *result);

#endif
