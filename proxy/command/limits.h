/* `postern limits`. Budgets of the running server: what is used and left
 * under a key, and changes to it. */
#ifndef PROXY_COMMAND_LIMITS_H
#define PROXY_COMMAND_LIMITS_H

/* argv[0] is "limits"; gives the exit code. */
int command_limits(int argc, char **argv);

#endif
