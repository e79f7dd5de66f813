/* `postern list`. What a dynamic list of the running server holds, and
 * changes to it. */
#ifndef PROXY_COMMAND_LIST_H
#define PROXY_COMMAND_LIST_H

/* argv[0] is "list"; gives the exit code. */
int command_list(int argc, char **argv);

#endif
