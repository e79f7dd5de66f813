/* The program: finds the subcommand and runs it. */
#include "proxy/command/help.h"
#include "proxy/command/subcommands.h"
#include "proxy/server/worker_process.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run_subcommand(int argc, char **argv)
{
    if (strcmp(argv[0], "worker") == 0)
        return command_worker(argc, argv);
    const struct subcommand *command = subcommand_find(argv[0]);
    if (command == NULL)
        return subcommand_unknown(argv[0]);
    if (argc == 2 && is_help(argv[1])) {
        char *words[] = {"help", argv[0]};
        return command_help(2, words);
    }
    return command->run(argc, argv);
}

int main(int argc, char **argv)
{
    char *help[] = {"help"};
    if (argc < 2) {
        command_help(1, help);
        return EXIT_USAGE;
    }
    if (is_help(argv[1]))
        return command_help(1, help);
    if (strcmp(argv[1], "--version") == 0) {
        puts("postern " POSTERN_VERSION);
        return EXIT_FINE;
    }
    return run_subcommand(argc - 1, argv + 1);
}
