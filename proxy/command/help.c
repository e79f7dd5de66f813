#include "proxy/command/help.h"

#include <stdio.h>
#include <string.h>

#include "proxy/command/subcommands.h"

static void list_commands(void)
{
    puts("Postern, an SMTP submission proxy and policy filter.\n\n"
         "usage: postern COMMAND [ARGUMENT ...]\n");
    for (size_t i = 0; i < subcommand_count; i++)
        printf("  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
    puts("\n`postern help COMMAND` says more; `postern --version` the "
         "version.");
}

static void explain_command(const struct subcommand *command)
{
    subcommand_usage(command, stdout);
    printf("\n%s: %s\n", command->name, command->summary);
    if (command->details != NULL)
        printf("\n%s", command->details);
}

int command_help(int argc, char **argv)
{
    if (argc > 2)
        return subcommand_misuse("help", "one command at a time", NULL);
    if (argc < 2) {
        list_commands();
        return EXIT_FINE;
    }
    const struct subcommand *command = subcommand_find(argv[1]);
    if (command == NULL)
        return subcommand_unknown(argv[1]);
    explain_command(command);
    return EXIT_FINE;
}
