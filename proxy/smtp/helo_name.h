/* What EHLO and HELO may name themselves. Pure. */
#ifndef PROXY_SMTP_HELO_NAME_H
#define PROXY_SMTP_HELO_NAME_H

#include "rules/base/str.h"

/* The domain or address literal of EHLO and HELO (RFC 5321 4.1.1.1); also
 * what clients without a name send: an underscore, a bare address. */
bool helo_name_is_valid(struct str name);

#endif
