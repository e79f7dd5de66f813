/* Passwords of a dialogue: stands in for the users files and the threads that
 * hash when linking. The logins are the script's; an answer comes in the next
 * turn, or when the script lets it. */
#ifndef TESTS_DIALOGUE_FAKE_LOGIN_H
#define TESTS_DIALOGUE_FAKE_LOGIN_H

#include "proxy/login/login.h"
#include "tests/dialogue/script.h"

enum fake_login_mode { LOGINS_ANSWER, LOGINS_HOLD, LOGINS_UNAVAILABLE };

struct fake_logins {
    const struct script *script; /* borrowed */
    struct hash_query *queries;
    struct token_query *tokens; /* that are asked about */
    enum fake_login_mode mode;
};

/* From now on these are the users of the world. */
void fake_login_use(struct fake_logins *logins);
/* Answers what waits; false when nothing did. */
bool fake_login_turn(struct fake_logins *logins);

#endif
