/* How far octets run that mean nothing to SMTP. Pure. */
#ifndef PROXY_SMTP_PLAIN_RUN_H
#define PROXY_SMTP_PLAIN_RUN_H

#include "rules/base/str.h"

/* The octets before the first CR, LF or NUL, or all of them. */
size_t plain_run(struct str text);

#endif
