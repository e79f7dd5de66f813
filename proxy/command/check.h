/* `postern check`. Validates a configuration and runs its policy tests. */
#ifndef PROXY_COMMAND_CHECK_H
#define PROXY_COMMAND_CHECK_H

/* argv[0] is "check"; gives the exit code. */
int command_check(int argc, char **argv);

#endif
