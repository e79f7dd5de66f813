/* Holds what a far end heard and saw against what the script expects of it.
 * What matched is taken; what did not stays, to be shown. */
#ifndef TESTS_DIALOGUE_EXPECT_H
#define TESTS_DIALOGUE_EXPECT_H

#include "tests/dialogue/fake_net.h"
#include "tests/dialogue/script.h"

/* One of STEP_LINE … STEP_SEE. */
bool expect_step(struct far_end *far, const struct step *step);
bool expect_is_nothing_left(const struct far_end *far);
/* The code of the reply that is next, 0: none is. */
int expect_next_code(const struct far_end *far);
/* What is next, for people. */
void expect_describe(const struct far_end *far, struct octets *out);

#endif
