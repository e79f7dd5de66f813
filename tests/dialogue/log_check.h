/* What the product logged in a run, held against the script and against what
 * is always so: each line is JSON, and no password is in any. */
#ifndef TESTS_DIALOGUE_LOG_CHECK_H
#define TESTS_DIALOGUE_LOG_CHECK_H

#include "tests/dialogue/world.h"

/* STEP_LOG, STEP_NO_LOG or STEP_SERVER_LOG. */
bool log_check_step(struct world *world, const struct step *step);
/* NULL, or what is wrong with a line. */
const char *log_check_all(const struct world *world);
/* The same of their form alone. */
const char *log_check_form(const struct world *world);
/* Whether the text holds the password of a login, also as AUTH carries it. */
bool log_check_holds_secret(const struct script *script, struct str text);
void log_check_print(const struct world *world);

#endif
