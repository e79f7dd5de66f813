/* No program runs in a dialogue. */
#include "proxy/net/program.h"

struct program *program_start(struct loop *loop,
                              const struct program_runner *runner,
                              struct str name, uint64_t timeout_ms,
                              size_t output_max, program_done done, void *owner)
{
    (void)loop;
    (void)runner;
    (void)name;
    (void)timeout_ms;
    (void)output_max;
    (void)done;
    (void)owner;
    return NULL;
}

void program_cancel(struct program *program)
{
    (void)program;
}
