#include "proxy/log/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_takes_pictures(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

bool terminal_takes_colour(int fd)
{
    const char *no_colour = getenv("NO_COLOR");
    return terminal_takes_pictures(fd) &&
           (no_colour == NULL || no_colour[0] == '\0');
}
