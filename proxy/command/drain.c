#include "proxy/command/drain.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"
#include "rules/quantity.h"

static int read_within(void *owner, int argc, char **argv, int *i)
{
    uint64_t *within_ms = owner;
    if (strcmp(argv[*i], "--within") != 0)
        return subcommand_misuse("drain", "there is no option", argv[*i]);
    if (++*i == argc)
        return subcommand_misuse("drain", "--within needs a time, such as 5m",
                                 NULL);
    if (quantity_duration(str_from(argv[*i]), within_ms) == 0 && *within_ms > 0)
        return EXIT_FINE;
    return subcommand_misuse("drain",
                             "a time is written like 30s, 5m or 1h, "
                             "not",
                             argv[*i]);
}

int command_drain(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    uint64_t within_ms = 0;
    json_t *reply;
    if (config_option_read(argc, argv, &config, read_within, &within_ms) !=
        EXIT_FINE)
        return EXIT_USAGE;
    enum control_end end =
        control_ask("drain", config,
                    json_pack("{s:s, s:I}", "do", "drain", "within_ms",
                              (json_int_t)within_ms),
                    &reply);
    json_decref(reply);
    if (end == CONTROL_ANSWERED)
        puts("drained, and stopped");
    if (end == CONTROL_UNREADABLE)
        return EXIT_CONFIG;
    return end == CONTROL_ANSWERED ? EXIT_FINE : EXIT_FOUND;
}
