#include "proxy/command/loglevel.h"

#include <stdio.h>
#include <string.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"

static int read_level(void *owner, int argc, char **argv, int *i)
{
    const char **level = owner;
    (void)argc;
    if (strcmp(argv[*i], "debug") != 0 && strcmp(argv[*i], "info") != 0)
        return subcommand_misuse("loglevel", "a level is debug or info, not",
                                 argv[*i]);
    *level = argv[*i];
    return EXIT_FINE;
}

int command_loglevel(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG, *level = NULL;
    json_t *reply;
    if (config_option_read(argc, argv, &config, read_level, &level) !=
        EXIT_FINE)
        return EXIT_USAGE;
    if (level == NULL)
        return subcommand_misuse("loglevel", "which one: debug or info?", NULL);
    enum control_end end = control_ask(
        "loglevel", config,
        json_pack("{s:s, s:s}", "do", "loglevel", "level", level), &reply);
    json_decref(reply);
    if (end == CONTROL_UNREADABLE)
        return EXIT_CONFIG;
    return end == CONTROL_ANSWERED ? EXIT_FINE : EXIT_FOUND;
}
