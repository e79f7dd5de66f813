/* Bearer tokens of a dialogue: stands in for the jwt back-end when linking.
 * Good are the script's; an answer comes in the next turn, or when the script
 * lets it. */
#ifndef TESTS_DIALOGUE_FAKE_TOKENS_H
#define TESTS_DIALOGUE_FAKE_TOKENS_H

#include "tests/dialogue/fake_login.h"

/* From now on these are the tokens of the world. */
void fake_tokens_use(struct fake_logins *logins);
/* Answers what waits; false when nothing did. */
bool fake_tokens_turn(struct fake_logins *logins);

#endif
