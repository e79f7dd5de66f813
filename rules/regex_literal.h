/* A text that every match of a pattern holds: read off the pattern, so that a
 * subject without it need not be tried. Pure. */
#ifndef RULES_REGEX_LITERAL_H
#define RULES_REGEX_LITERAL_H

#include "rules/base/str.h"

#define REGEX_LITERAL_MAX 64

/* Into `to`, as it stands in the pattern: whether case matters is for the
 * pattern's flags to say. Its length; 0: no such text was found, as with any
 * pattern that is not plain. `pattern` stands between its slashes, has no flag
 * x, and compiles. */
size_t regex_literal(struct str pattern, char to[REGEX_LITERAL_MAX]);

#endif
