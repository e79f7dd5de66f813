/* host:port of a listener or a server, as text. Pure. */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include "config/settings.h"

/* 192.0.2.1:25, [2001:db8::1]:25, mta.example.com:25. 0, or -1 when the text
 * is something else. `text` and `host` borrow; the mark stays as it was. */
int endpoint_parse(struct str text, struct endpoint *out);
/* Whether the host is an address, not a name. */
bool endpoint_is_numeric(const struct endpoint *endpoint);

#endif
