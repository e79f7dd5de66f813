/* The result of a replay for people and for programs. */
#ifndef PROXY_REPLAY_RESULT_VIEW_H
#define PROXY_REPLAY_RESULT_VIEW_H

#include <stdio.h>

#include "proxy/replay/result.h"

/* `policy` is how the candidate is called. */
void replay_print(FILE *to, const struct replay *replay, const char *policy);
/* One object. 0, or -1: out of memory. */
int replay_print_json(FILE *to, const struct replay *replay);

#endif
