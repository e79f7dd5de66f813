/* What stands behind a word of a script: who may log in, how long. */
#ifndef TESTS_DIALOGUE_SCRIPT_WORDS_H
#define TESTS_DIALOGUE_SCRIPT_WORDS_H

#include "tests/dialogue/script.h"

/* 30s, 500ms, 5m, 1h. 0, or -1. */
int script_read_time(struct str text, uint64_t *ms);

/* Both add to the script what is borrowed from the text, and return NULL or
 * what is wrong:
 *
 *     bob secret addresses=a@x,b@x groups=staff may_act_as=eve keys=scram
 *     abc user=bob expires=30s */
const char *script_read_user(struct script *script, struct str text);
const char *script_read_token(struct script *script, struct str text);

#endif
