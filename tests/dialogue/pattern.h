/* The texts of a dialogue: escapes for exact octets, and patterns over what
 * was said. \r \n \t \0 \\ \* \" \xHH are octets; in a pattern * stands for
 * any octets and {id} for an id of a session or transaction. */
#ifndef TESTS_DIALOGUE_PATTERN_H
#define TESTS_DIALOGUE_PATTERN_H

#include "tests/dialogue/octets.h"

/* Appends the octets that `text` stands for. 0, or -1: a wrong escape. */
int escape_read(struct str text, struct octets *out);
/* Appends octets as escapes, for people. */
void escape_write(struct str octets, struct octets *out);

/* 0, or -1: a wrong escape. */
int pattern_check(struct str pattern);
bool pattern_match(struct str pattern, struct str octets);

#endif
