/* Numbers as people write them, without printf: for what each message costs.
 * Pure. */
#ifndef RULES_BASE_DIGITS_H
#define RULES_BASE_DIGITS_H

#include "rules/base/str.h"

#define DIGITS_MAX 20 /* of a number of 64 bits */

/* At least `width` digits (DIGITS_MAX at most), with zeros before the number.
 * Returns how many; no NUL. */
size_t digits_write(char to[DIGITS_MAX], uint64_t number, size_t width);

#endif
