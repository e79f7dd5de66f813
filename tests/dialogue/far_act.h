/* What a far end does, by the word that a script has for it. */
#ifndef TESTS_DIALOGUE_FAR_ACT_H
#define TESTS_DIALOGUE_FAR_ACT_H

#include "tests/dialogue/fake_net.h"

/* accept, refuse, close, cut, reset, stall, read, or tls with "", "fail" or
 * "sni=NAME" behind it. NULL, or why it can't be done. */
const char *far_act(struct far_end *far, struct str name, struct str rest);

#endif
