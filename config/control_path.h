/* Where the running server takes orders: read from a configuration that may
 * be wrong everywhere else, since a server is asked just then. */
#ifndef CONFIG_CONTROL_PATH_H
#define CONFIG_CONTROL_PATH_H

#include "config/diag.h"

/* The path, in `arena`; NULL with errors in diags when the files give no tree
 * or the key itself is wrong. */
const char *config_control_path(const char *path, struct arena *arena,
                                struct diags *diags);

#endif
