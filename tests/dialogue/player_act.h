/* What a script does: octets, events, the clock, the server's own orders. */
#ifndef TESTS_DIALOGUE_PLAYER_ACT_H
#define TESTS_DIALOGUE_PLAYER_ACT_H

#include "tests/dialogue/player.h"

/* Does the step; what one far end says in several steps in a row goes out at
 * once. Returns the steps done; *wrong says why one could not be done. */
size_t player_act(struct player *p, const struct step *step, size_t count,
                  const char **wrong);

/* The far end says this; octet by octet where that is the mode. */
void player_speak(struct player *p, struct far_end *far, struct str text);

#endif
