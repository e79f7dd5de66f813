/* Reads UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing
 * above U+10FFFF. Pure. */
#ifndef RULES_BASE_UTF8_H
#define RULES_BASE_UTF8_H

#include "rules/base/str.h"

/* The octets of the character that s begins with, 1 to 4, and the character
 * itself; 0 when s is empty or does not begin with a valid one. */
size_t utf8_next(struct str s, uint32_t *character);
bool utf8_is_valid(struct str s);

/* Whether a character moves the cursor, ends a line, or turns the direction
 * of writing: what must not reach a log or a terminal as it is. */
bool utf8_is_control(uint32_t character);

#endif
