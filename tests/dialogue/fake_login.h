/* Logins of a dialogue: stands in for proxy/login when linking. The logins
 * are the script's; an answer comes in the next turn, or when the script
 * lets it. */
#ifndef TESTS_DIALOGUE_FAKE_LOGIN_H
#define TESTS_DIALOGUE_FAKE_LOGIN_H

#include "proxy/login/login.h"
#include "tests/dialogue/script.h"

enum fake_login_mode { LOGINS_ANSWER, LOGINS_HOLD, LOGINS_UNAVAILABLE };

struct login_client {
    const struct script *script; /* borrowed */
    struct login_query *queries;
    enum fake_login_mode mode;
};

/* Answers what waits; false when nothing did. */
bool fake_login_turn(struct login_client *client);

#endif
