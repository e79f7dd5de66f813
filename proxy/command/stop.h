/* postern stop. */
#ifndef PROXY_COMMAND_STOP_H
#define PROXY_COMMAND_STOP_H

/* Arguments begin with the command's name. An exit code. */
int command_stop(int argc, char **argv);

#endif
