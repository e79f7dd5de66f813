#include "proxy/command/run.h"

#include <errno.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/core_dumps.h"
#include "proxy/own_output.h"
#include "proxy/supervisor/supervisor.h"

int command_run(int argc, char **argv)
{
    const char *path = DEFAULT_CONFIG;
    if (config_option_read(argc, argv, &path, NULL, NULL) != EXIT_FINE)
        return EXIT_USAGE;
    own_output_take();
    /* Before the first secret is read. */
    (void)core_dumps_forbid();
    return supervise(path, program_invocation_name);
}
