/* postern drain. */
#ifndef PROXY_COMMAND_DRAIN_H
#define PROXY_COMMAND_DRAIN_H

/* Arguments begin with the command's name. An exit code. */
int command_drain(int argc, char **argv);

#endif
