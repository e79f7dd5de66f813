#include "proxy/command/stop.h"

#include <stdio.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"

int command_stop(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    json_t *reply;
    if (config_option_read(argc, argv, &config, NULL, NULL) != EXIT_FINE)
        return EXIT_USAGE;
    enum control_end end =
        control_ask("stop", config, json_pack("{s:s}", "do", "stop"), &reply);
    json_decref(reply);
    if (end == CONTROL_ANSWERED)
        puts("stopped");
    if (end == CONTROL_UNREADABLE)
        return EXIT_CONFIG;
    return end == CONTROL_ANSWERED ? EXIT_FINE : EXIT_FOUND;
}
