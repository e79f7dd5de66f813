/* What a changed configuration must pass before its policy goes live. */
#ifndef PROXY_CONTROL_RELOAD_CHECK_H
#define PROXY_CONTROL_RELOAD_CHECK_H

#include <stdatomic.h>

#include "config/settings.h"

/* The configuration at base->path, tested; NULL with errors in diags. `base`
 * is what the server runs with. Gives up, without a word, once is_stopping. */
const struct settings *reload_load(const struct settings *base,
                                   const atomic_bool *is_stopping,
                                   struct diags *diags, size_t *tests);

#endif
