/* What functions of libraries leave on the stack: keys, and blocks of what they
 * hashed. Called behind them, from where they were called or from above. */
#ifndef RULES_BASE_STACK_WIPE_H
#define RULES_BASE_STACK_WIPE_H

#include <stddef.h>

/* So many octets of this thread's stack below the caller. */
#define STACK_WIPED ((size_t)64 * 1024)

void stack_wipe(void);

#endif
