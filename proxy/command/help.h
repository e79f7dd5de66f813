/* `postern help`. Says what the program can do, or one command of it. */
#ifndef PROXY_COMMAND_HELP_H
#define PROXY_COMMAND_HELP_H

/* argv[0] is "help"; gives the exit code. */
int command_help(int argc, char **argv);

#endif
