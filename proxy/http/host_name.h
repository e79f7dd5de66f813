/* Whether a request is for this server, by its Host field. A browser sends
 * the name that it was given: a foreign site whose name points here (DNS
 * rebinding) must not be able to read what is served. Pure. */
#ifndef PROXY_HTTP_HOST_NAME_H
#define PROXY_HTTP_HOST_NAME_H

#include "config/settings.h"

/* An address, with or without a port; localhost; hostname; one of http.names.
 * An absent field (p NULL) is fine: no browser leaves it out. */
bool host_name_is_ours(const struct settings *settings, struct str field);

#endif
