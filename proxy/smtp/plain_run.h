/* The scan that DATA content goes through on its way in and out: how far
 * octets run that mean nothing to SMTP. Pure. */
#ifndef PROXY_SMTP_PLAIN_RUN_H
#define PROXY_SMTP_PLAIN_RUN_H

#include "rules/base/str.h"

/* The octets before the first CR, LF or NUL, or all of them. Sets *has_8bit
 * when one of them is above 127; never clears it. */
size_t plain_run(struct str text, bool *has_8bit);

#endif
