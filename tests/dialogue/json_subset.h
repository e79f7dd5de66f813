/* Does a line of JSON contain what a pattern in JSON says? Objects: every
 * named member; arrays: every named element somewhere; texts: as a pattern;
 * numbers and flags: equal. */
#ifndef TESTS_DIALOGUE_JSON_SUBSET_H
#define TESTS_DIALOGUE_JSON_SUBSET_H

#include "rules/base/str.h"

bool json_is_valid(struct str text);
bool json_contains(struct str line, struct str pattern);

#endif
