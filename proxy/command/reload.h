/* `postern reload`. The running server takes up a changed policy. */
#ifndef PROXY_COMMAND_RELOAD_H
#define PROXY_COMMAND_RELOAD_H

/* argv[0] is "reload"; gives the exit code. */
int command_reload(int argc, char **argv);

#endif
