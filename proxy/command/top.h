/* `postern top`. What the running server does, at a glance and again and
 * again. */
#ifndef PROXY_COMMAND_TOP_H
#define PROXY_COMMAND_TOP_H

/* argv[0] is "top"; gives the exit code. */
int command_top(int argc, char **argv);

#endif
