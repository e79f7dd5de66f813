/* `postern tail`. Shows the decision log for people. */
#ifndef PROXY_COMMAND_TAIL_H
#define PROXY_COMMAND_TAIL_H

/* argv[0] is "tail"; gives the exit code. */
int command_tail(int argc, char **argv);

#endif
