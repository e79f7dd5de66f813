/* Another program, run for what it prints: without a shell, without input, its
 * complaints to our own standard error. It is killed when it takes too long or
 * prints too much. */
#ifndef PROXY_NET_PROGRAM_H
#define PROXY_NET_PROGRAM_H

#include "proxy/net/loop.h"

struct program;

/* All that it printed, when it ended with exit code 0; else `error` has words,
 * such as "exit code 2". Both valid within the call. The struct program is
 * gone when this is called. */
typedef void (*program_done)(void *owner, struct str output, const char *error);

/* `words`: the program by its whole path, its arguments, NULL. `done` comes
 * from the loop, once. NULL when out of memory. */
struct program *program_start(struct loop *loop, const char *const *words,
                              uint64_t timeout_ms, size_t output_max,
                              program_done done, void *owner);
/* Kills it; `done` will not be called. */
void program_cancel(struct program *program);

#endif
