/* postern loglevel. */
#ifndef PROXY_COMMAND_LOGLEVEL_H
#define PROXY_COMMAND_LOGLEVEL_H

/* Arguments begin with the command's name. An exit code. */
int command_loglevel(int argc, char **argv);

#endif
