/* Finds what looks like a mail address in any text, around every @: for texts
 * that cannot be parsed. Pure and linear. */
#ifndef RULES_ADDRESS_SCAN_H
#define RULES_ADDRESS_SCAN_H

#include "rules/base/str.h"

/* The next mailbox from *at on, which moves behind its @; false at the end.
 * Begin with *at = 0. */
bool address_scan_next(struct str text, size_t *at, struct str *out);

#endif
