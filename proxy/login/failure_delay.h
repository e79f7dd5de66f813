/* How long the answer to a wrong login is held: it grows with the failures of
 * the client's network, and with those of the name that was tried, whether or
 * not anybody has it. Bounded memory, shared by all workers. */
#ifndef PROXY_LOGIN_FAILURE_DELAY_H
#define PROXY_LOGIN_FAILURE_DELAY_H

#include "rules/base/str.h"

struct failure_delay;

/* NULL when out of memory, or there is no randomness. */
struct failure_delay *failure_delay_new(size_t max);
/* NULL is fine. */
void failure_delay_free(struct failure_delay *failures);

/* One more failure. Milliseconds: none for the first two, a second for the
 * third, then twice as long each time, `most_ms` at most. One failure is
 * forgotten a minute. A text with n 0 is not counted. */
uint64_t failure_delay_note(struct failure_delay *failures, struct str net,
                            struct str name, uint64_t now_ms, uint64_t most_ms);

#endif
