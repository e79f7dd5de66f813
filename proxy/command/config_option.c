#include "proxy/command/config_option.h"

#include <stddef.h>
#include <string.h>

#include "proxy/command/subcommands.h"

static int refuse(const char *command, const char *word)
{
    if (word[0] == '-')
        return subcommand_misuse(command, "there is no option", word);
    return subcommand_misuse(command, "write -c before the file", word);
}

int config_option_read(int argc, char **argv, const char **config,
                       config_option_other *other, void *owner)
{
    for (int i = 1; i < argc; i++) {
        int status = EXIT_FINE;
        if (strcmp(argv[i], "-c") != 0)
            status = other == NULL ? refuse(argv[0], argv[i])
                                   : other(owner, argc, argv, &i);
        else if (++i == argc)
            status = subcommand_misuse(argv[0], "-c needs a file", NULL);
        else
            *config = argv[i];
        if (status != EXIT_FINE)
            return status;
    }
    return EXIT_FINE;
}
