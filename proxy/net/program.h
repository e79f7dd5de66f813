/* Another program, run for what it prints. This process may run none: it asks
 * somebody who may, hands over where the output goes, and reads that. What
 * takes too long or prints too much is given up, which whoever runs it sees,
 * and ends it. */
#ifndef PROXY_NET_PROGRAM_H
#define PROXY_NET_PROGRAM_H

#include "proxy/net/loop.h"

struct program;

enum { PROGRAM_OUTPUT, PROGRAM_END, PROGRAM_DESCRIPTORS };

/* Who runs programs. */
struct program_runner {
    /* Asks for the program of that name. Its output goes into the first
     * descriptor; of how it ended a struct program_end is sent over the
     * second. Both stay the caller's. Does not wait, on any thread. 0, or -1:
     * there is nobody who listens. NULL: the same. */
    int (*run)(void *owner, struct str name,
               const int descriptors[PROGRAM_DESCRIPTORS]);
    void *owner;
};

/* All that it printed, when it ended with exit code 0; else `error` has words,
 * such as "exit code 2". Both valid within the call. The struct program is
 * gone when this is called. */
typedef void (*program_done)(void *owner, struct str output, const char *error);

/* `runner` and `name` are borrowed for the call. `done` comes from the loop,
 * once. NULL when out of memory. */
struct program *program_start(struct loop *loop,
                              const struct program_runner *runner,
                              struct str name, uint64_t timeout_ms,
                              size_t output_max, program_done done,
                              void *owner);
/* Gives it up; `done` will not be called. */
void program_cancel(struct program *program);

#endif
